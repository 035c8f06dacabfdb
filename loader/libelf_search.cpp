// SPDX-License-Identifier: Apache-2.0
// elfutils 0.192 ships a libelf.a without the four functions of its own that it calls, so nothing links with
// it statically (https://sourceware.org/bugzilla/show_bug.cgi?id=32293; Debian 13 has that one).
// CMakeLists.txt adds this file where they are missing.
//
// There they are the C library's binary tree under a lock. The loader calls libelf from one thread, so they
// are the tree alone.
#include <search.h>

namespace {
struct SearchTree {  // the beginning of libelf's search_tree; a lock follows
  void* root;
};
using Compare = int (*)(const void*, const void*);
}  // namespace

extern "C" {

void eu_search_tree_init(SearchTree* tree) {
  tree->root = nullptr;
}

void eu_search_tree_fini(SearchTree* tree, void (*free_node)(void*)) {
  tdestroy(tree->root, free_node);
  tree->root = nullptr;
}

void* eu_tsearch(const void* key, SearchTree* tree, Compare compare) {
  return tsearch(key, &tree->root, compare);
}

void* eu_tdelete(const void* key, SearchTree* tree, Compare compare) {
  return tdelete(key, &tree->root, compare);
}
}
