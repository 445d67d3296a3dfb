/* SPDX-License-Identifier: GPL-2.0-only */
/* Hints to the compiler. */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

/* The compiler puts the expected branch straight ahead: a jump that is taken costs more. */
#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

/* Reads a variable exactly once, although another CPU may change it. */
#define READ_ONCE(variable) (*(const volatile typeof(variable) *)&(variable))

/*
 * Keeps a variable in memory. A value that is needed after a call would otherwise get a
 * register that the program has to save when it begins, for every packet.
 */
#define in_memory(variable) asm volatile("" : "+m"(variable))

#endif
