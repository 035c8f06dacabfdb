/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "words.h"

int main(int argc, char **argv)
{
	struct table table = {0};
	FILE *file = argc > 1 ? fopen(argv[1], "r") : stdin;
	char *text = file ? read_text(file) : NULL, *at = text, *word;

	if (!text) {
		perror(argc > 1 ? argv[1] : "stdin");
		return EXIT_FAILURE;
	}
	while ((word = next_word(&at)))
		if (count_word(&table, word) < 0) {
			perror("count");
			return EXIT_FAILURE;
		}
	sort_table(&table);
	for (size_t i = 0; i < table.used && i < 20; i++)
		printf("%8zu %s\n", table.entries[i].count, table.entries[i].word);
	free_table(&table);
	free(text);
	return EXIT_SUCCESS;
}
