// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/measure/items.h"

#include <fmt/format.h>

#include <map>

#include "lib/base/text.h"
#include "tools/diglim/measure/differences.h"

namespace diglim {
namespace {

using Kind = MeasuredItem::Kind;

// One of each name and content: what is in force twice is said once.
struct Pair {
  const MeasuredItem* predicted = nullptr;
  const MeasuredItem* measured = nullptr;
};
using ByContent = std::map<std::string, Pair>;

struct Words {
  std::string_view code, noun;
};
Words words_of(Kind kind) {
  switch (kind) {
    case Kind::kList:
    case Kind::kRemovedList:
      return {"list", "the digest list"};
    case Kind::kKey:
      return {"key", "the key"};
    case Kind::kDenyList:
      break;
  }
  return {"deny-list", "the deny list"};
}

std::string where(const MeasuredItem& item) {
  return fmt::format("manifest {} ({})", item.number, kind_name(item.in));
}

std::string title(const MeasuredItem& item) {
  return fmt::format("{} {}{}", words_of(item.kind).noun, escape(item.name),
                     item.about.empty() ? "" : " (" + item.about + ")");
}

class ItemComparer {
 public:
  explicit ItemComparer(std::vector<Difference>& found) : found_(found) {}

  void compare(const ByContent& contents) {
    std::vector<const MeasuredItem*> lacking, extra;
    for (const auto& [content, pair] : contents) {
      if (pair.measured == nullptr)
        lacking.push_back(pair.predicted);
      else if (pair.predicted == nullptr)
        extra.push_back(pair.measured);
      else if (pair.measured->number != pair.predicted->number)
        moved(*pair.predicted, *pair.measured);
    }
    size_t i = 0;
    for (; i < lacking.size() && i < extra.size() && extra[i]->kind != Kind::kRemovedList; ++i)
      changed(*lacking[i], *extra[i]);
    for (size_t k = i; k < lacking.size(); ++k) missing(*lacking[k]);
    for (size_t k = i; k < extra.size(); ++k) added(*extra[k]);
  }

 private:
  void add(const MeasuredItem& item, std::string_view what, std::string text) {
    found_.push_back({item.extend, fmt::format("{}-{}", words_of(item.kind).code, what), escape(item.name),
                      std::move(text)});
  }
  void moved(const MeasuredItem& predicted, const MeasuredItem& measured) {
    const MeasuredItem& first = predicted.extend < measured.extend ? predicted : measured;
    add(first, "moved",
        fmt::format("{} is in {}, predicted is {}: it changed while the system ran, not before the boot",
                    title(measured), where(measured), where(predicted)));
  }
  void changed(const MeasuredItem& predicted, const MeasuredItem& measured) {
    const MeasuredItem& first = predicted.extend < measured.extend ? predicted : measured;
    add(first, "differs",
        fmt::format("{} has other content in {}: {}, predicted is {}{}", title(measured), where(measured),
                    measured.content, predicted.content,
                    predicted.about == measured.about || predicted.about.empty()
                        ? ""
                        : " (" + predicted.about + ")"));
  }
  void missing(const MeasuredItem& item) {
    if (item.kind == Kind::kRemovedList)
      return add(item, "kept", fmt::format("{} was predicted to be removed in {}", title(item), where(item)));
    add(item, "missing", fmt::format("{} was predicted in {}, and is not there", title(item), where(item)));
  }
  void added(const MeasuredItem& item) {
    if (item.kind == Kind::kRemovedList)
      return add(item, "removed",
                 fmt::format("{} was removed in {}, which was not predicted", title(item), where(item)));
    add(item, "added", fmt::format("{} is in {}, and was not predicted", title(item), where(item)));
  }

  std::vector<Difference>& found_;
};

}  // namespace

void add_items(const Manifest& manifest, size_t extend, std::vector<MeasuredItem>& items) {
  const auto add = [&](Kind kind, std::string name, ByteView content, std::string about) {
    items.push_back(
        {kind, std::move(name), to_hex(content), std::move(about), manifest.kind, manifest.number, extend});
  };
  const bool removes = manifest.kind == ManifestKind::kRemove;
  for (const ManifestList& list : manifest.lists)
    add(removes ? Kind::kRemovedList : Kind::kList, list.name, list.hash, escape(list.package));
  for (const auto* keys : {&manifest.boot.keys, &manifest.keys}) {
    for (const ManifestKey& key : *keys) add(Kind::kKey, key.fingerprint, key.file_hash, "");
  }
  for (const ManifestDenyList& list : manifest.deny_lists)
    add(Kind::kDenyList, list.name, list.hash, "serial " + std::to_string(list.serial));
}

void items_differ(const std::vector<MeasuredItem>& predicted, const std::vector<MeasuredItem>& measured,
                  std::vector<Difference>& found) {
  std::map<std::pair<Kind, std::string>, ByContent> items;
  const auto place = [&](const MeasuredItem& item) -> Pair& {
    return items[{item.kind, item.name}][item.content];
  };
  for (const MeasuredItem& item : predicted) place(item).predicted = &item;
  for (const MeasuredItem& item : measured) place(item).measured = &item;
  ItemComparer comparer(found);
  for (const auto& [name, contents] : items) comparer.compare(contents);
}

}  // namespace diglim
