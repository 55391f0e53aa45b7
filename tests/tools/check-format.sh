#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every C file stands as clang-format 14 and .clang-format would write it.
cd "${srcdir:-.}" || exit 99
format=$(command -v clang-format-14) || { echo "clang-format-14 is missing"; exit 1; }
find include src tests -name '*.[ch]' -print0 | sort -z | xargs -0 "$format" --dry-run -Werror
