// SPDX-License-Identifier: GPL-2.0-only
// A module that nobody but this host has.
#include <linux/module.h>

static int __init own_init(void) {
  return 0;
}
static void __exit own_exit(void) {}
module_init(own_init);
module_exit(own_exit);
MODULE_LICENSE("GPL");
