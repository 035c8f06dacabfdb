# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the programs say of their own options. Sourced; LOADER and TOOLS are set.
loader_verbs() { "$LOADER" --help | sed -n 's/^  \([a-z][a-z]*\)  *[a-z].*/\1/p'; }
diglim_verbs() { "$TOOLS/diglim" --help | sed -n 's/^  \([a-z][a-z-]*\)  *[a-z].*/\1/p'; }
# Of a verb; none for most. CLI11 prints them in columns, or each on a line of its own with its options below.
diglim_subverbs() { "$TOOLS/diglim" "$@" --help |
  sed -n '/^Subcommands:/,${s/^  \([a-z][a-z-]*\)   *[a-z].*/\1/p; s/^\([a-z][a-z-]*\)$/\1/p}'; }
# The long options in a help text on stdin, each once.
long_options() { grep -oE -- '(^|[ ,|[])--[a-z][a-z-]*' | grep -oE -- '--.*' | sort -u; }
