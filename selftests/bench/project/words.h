/* SPDX-License-Identifier: Apache-2.0 */
/* Counts the words of a text. */
#pragma once

#include <stddef.h>
#include <stdio.h>

struct entry {
  char *word;
  size_t count;
};

struct table {
  struct entry *entries;
  size_t size, used;
};

/* The whole of a file, ended by a 0; NULL if it cannot be read. The caller frees it. */
char *read_text(FILE *file);
/* The next word at or after *at, in lower case and ended by a 0; NULL at the end. Changes the text. */
char *next_word(char **at);
/* 0, or -1 without memory. */
int count_word(struct table *table, const char *word);
/* The most frequent first. */
void sort_table(struct table *table);
void free_table(struct table *table);
