// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/setup/record.h"

#include <nlohmann/json.hpp>

#include "lib/base/base64.h"
#include "lib/base/file.h"
#include "lib/base/text.h"

namespace diglim::setup {
namespace {

using nlohmann::json;

constexpr size_t kMaxRecord = 256u << 20;
constexpr int kVersion = 1;

json file_to_json(const RecordedFile& file) {
  json out = {{"path", file.path},     {"link", file.link}, {"mode", file.mode},
              {"uid", file.uid},       {"gid", file.gid},   {"after_sha256", file.after_sha256},
              {"format", file.format}, {"before", nullptr}};
  if (file.before) out["before"] = to_base64(*file.before);
  return out;
}

// Throws json::exception for what is missing or of another type.
Result<RecordedFile> file_from_json(const json& in) {
  RecordedFile file;
  file.path = in.at("path");
  file.link = in.at("link");
  file.mode = in.at("mode");
  file.uid = in.at("uid");
  file.gid = in.at("gid");
  file.after_sha256 = in.at("after_sha256");
  file.format = in.at("format");
  if (file.path.empty() || file.path[0] != '/') return corrupt(0, "a path is not absolute");
  if (in.at("before").is_null()) return file;
  TRY_ASSIGN(file.before, from_base64(in.at("before").get<std::string>()));
  return file;
}

Result<Record> record_from_json(const json& in) {
  if (in.at("version") != kVersion) return unsupported("made by another version of diglim setup");
  Record record;
  for (const json& file : in.at("files")) {
    TRY_ASSIGN(RecordedFile read, file_from_json(file));
    record.files.push_back(std::move(read));
  }
  record.folders = in.at("folders");
  record.words = in.at("words");
  record.lists = in.at("lists");
  record.lists_before = in.at("lists_before");
  record.initramfs = in.at("initramfs");
  record.bootloader = in.at("bootloader");
  return record;
}

}  // namespace

RecordedFile* Record::find(const std::string& path) {
  for (RecordedFile& file : files) {
    if (file.path == path) return &file;
  }
  return nullptr;
}

Result<std::optional<Record>> load_record(const std::string& path) {
  const auto bytes = read_file(path, kMaxRecord);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) return std::optional<Record>();
  if (!bytes) return bytes.error();
  try {
    auto record = record_from_json(json::parse(as_text(*bytes)));
    if (!record) return with_context(escape(path), record.error());
    return std::optional<Record>(*std::move(record));
  } catch (const json::exception& error) {
    return corrupt(0, escape(path) + " is not a record of diglim setup: " + escape(error.what(), 200));
  }
}

Result<void> save_record(const std::string& path, const Record& record) {
  json files = json::array();
  for (const RecordedFile& file : record.files) files.push_back(file_to_json(file));
  const json out = {{"version", kVersion},           {"files", files},
                    {"folders", record.folders},     {"words", record.words},
                    {"lists", record.lists},         {"lists_before", record.lists_before},
                    {"initramfs", record.initramfs}, {"bootloader", record.bootloader}};
  // Names of lists may have any bytes; they are ours and rpm's, and their odd ones are already replaced.
  const std::string text = out.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
  return write_file_atomically(path, as_bytes(text), 0600);
}

}  // namespace diglim::setup
