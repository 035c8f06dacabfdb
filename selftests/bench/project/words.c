/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "words.h"

static int is_letter(char c)
{
	return isalpha((unsigned char)c) != 0;
}

char *next_word(char **at)
{
	char *begin = *at, *end;

	while (*begin && !is_letter(*begin))
		begin++;
	if (!*begin)
		return NULL;
	for (end = begin; is_letter(*end); end++)
		*end = (char)tolower((unsigned char)*end);
	*at = end;
	if (*end) {
		*end = 0;
		*at = end + 1;
	}
	return begin;
}
