/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "words.h"

static size_t hash_of(const char *word)
{
	size_t hash = 14695981039346656037UL;

	while (*word)
		hash = (hash ^ (unsigned char)*word++) * 1099511628211UL;
	return hash;
}

static struct entry *place_of(const struct table *table, const char *word)
{
	size_t at = hash_of(word) % table->size;

	while (table->entries[at].word && strcmp(table->entries[at].word, word))
		at = (at + 1) % table->size;
	return &table->entries[at];
}

static int grow(struct table *table)
{
	struct table larger = {.size = table->size ? table->size * 2 : 64, .used = table->used};

	larger.entries = calloc(larger.size, sizeof(*larger.entries));
	if (!larger.entries)
		return -1;
	for (size_t i = 0; i < table->size; i++)
		if (table->entries[i].word)
			*place_of(&larger, table->entries[i].word) = table->entries[i];
	free(table->entries);
	*table = larger;
	return 0;
}

int count_word(struct table *table, const char *word)
{
	struct entry *entry;

	if (table->used * 2 >= table->size && grow(table) < 0)
		return -1;
	entry = place_of(table, word);
	if (!entry->word) {
		entry->word = strdup(word);
		if (!entry->word)
			return -1;
		table->used++;
	}
	entry->count++;
	return 0;
}

static int more_first(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	return a->count < b->count ? 1 : a->count > b->count ? -1 : 0;
}

void sort_table(struct table *table)
{
	qsort(table->entries, table->size, sizeof(*table->entries), more_first);
}

void free_table(struct table *table)
{
	for (size_t i = 0; i < table->size; i++)
		free(table->entries[i].word);
	free(table->entries);
}
