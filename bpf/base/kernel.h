/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel and the compiler give to a program: types, helper functions, hints.
 * tests/fuzz/native.h replaces this file when the parsers are compiled for the machine that
 * runs the tests.
 */
#ifndef BASE_KERNEL_H
#define BASE_KERNEL_H

#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "base/compiler.h"

#endif
