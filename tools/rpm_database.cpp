int rpm_database_unused;
