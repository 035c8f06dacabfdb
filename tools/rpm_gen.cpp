int rpm_gen_unused;
