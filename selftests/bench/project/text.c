/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "words.h"

char *read_text(FILE *file)
{
	size_t size = 4096, used = 0, got;
	char *text = malloc(size);

	while (text && (got = fread(text + used, 1, size - used - 1, file)) > 0) {
		used += got;
		if (used + 1 == size) {
			char *more = realloc(text, size *= 2);

			if (!more)
				free(text);
			text = more;
		}
	}
	if (text && ferror(file)) {
		free(text);
		return NULL;
	}
	if (text)
		text[used] = 0;
	return text;
}
