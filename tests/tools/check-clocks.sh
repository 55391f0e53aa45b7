#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A time that is to be compared comes from base/clock, which says what its clocks mean.  A condition
# variable must be told which clock it waits by.
cd "${srcdir:-.}" || exit 99
if grep -rnE 'CLOCK_(MONOTONIC|BOOTTIME)' src include | grep -v -e '^src/base/clock.c:' -e pthread_condattr_setclock; then
	echo "a clock of its own: take the one of base/clock.h that means what is meant"
	exit 1
fi
