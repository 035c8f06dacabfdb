#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The name of 2022 for `diglim setup`: install [--default] | uninstall.
exec diglim setup "$@"
