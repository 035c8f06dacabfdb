// SPDX-License-Identifier: Apache-2.0
#include "lib/tcg/ima_log.h"

#include <algorithm>

#include "lib/base/text.h"

namespace diglim {
namespace {

constexpr size_t kSha1Bytes = 20;
constexpr size_t kMaxTemplateName = 32;  // the longest of the kernel's has 10
constexpr size_t kOldNameBytes = 256;    // IMA_EVENT_NAME_LEN_MAX + 1, template "ima" only
constexpr std::string_view kOldTemplate = "ima";

// security/integrity/ima/ima_template.c, builtin_templates[]. The PCR covers the data and not the name, so a
// name counts only for data that the kernel writes under it: else a file's event would pass for another kind.
struct Template {
  std::string_view name;
  unsigned fields;
  bool typed_digest;  // d-ngv2: with "ima:" or "verity:" before the algorithm
};
constexpr Template kTemplates[] = {{"ima-ng", 2, false},   {"ima-sig", 3, false}, {"ima-ngv2", 2, true},
                                   {"ima-sigv2", 3, true}, {"ima-buf", 3, false}, {"ima-modsig", 5, false},
                                   {"evm-sig", 9, false}};

const Template* find_template(std::string_view name) {
  const auto* const found = std::ranges::find(kTemplates, name, &Template::name);
  return found == std::end(kTemplates) ? nullptr : found;
}

bool all_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; });
}

// "sha256:\0" digest; typed "ima:sha256:\0" or "verity:sha256:\0".
Result<void> decode_digest(ByteView field, uint64_t offset, bool typed, ImaEvent& event) {
  const std::string_view text = as_text(field);
  const size_t end = text.find('\0');
  if (end == std::string_view::npos || end == 0 || text[end - 1] != ':')
    return corrupt(offset, "a file digest without the name of its algorithm");
  event.algo = text.substr(0, end - 1);
  event.digest = field.subspan(end + 1);
  const size_t colon = event.algo.find(':');
  if ((colon != std::string_view::npos) != typed)
    return corrupt(offset,
                   "a file digest as the template " + escape(event.template_name) + " does not have it");
  if (typed) {
    const std::string_view type = event.algo.substr(0, colon);
    if (type != "ima" && type != "verity") return corrupt(offset, "unknown type of a file digest");
    event.verity = type == "verity";
    event.algo = event.algo.substr(colon + 1);
  }
  if (const auto algo = hash_from_name(event.algo); algo && hash_size(*algo) != event.digest.size())
    return corrupt(offset, "a " + std::string(event.algo) + " file digest of " +
                               std::to_string(event.digest.size()) + " bytes");
  return {};
}

Result<void> decode_fields(ByteView data, uint64_t offset, const Template& form, ImaEvent& event) {
  ByteReader reader(data, offset);
  TRY_ASSIGN(const uint32_t digest_size, reader.u32_le());
  const uint64_t digest_offset = reader.offset();
  TRY_ASSIGN(const ByteView digest, reader.bytes(digest_size));
  TRY(decode_digest(digest, digest_offset, form.typed_digest, event));
  TRY_ASSIGN(const uint32_t name_size, reader.u32_le());
  const uint64_t name_offset = reader.offset();
  TRY_ASSIGN(const ByteView name, reader.bytes(name_size));
  const std::string_view text = as_text(name);
  if (text.empty() || text.find('\0') != text.size() - 1)
    return corrupt(name_offset, "a file name that does not end with its first zero byte");
  event.path = text.substr(0, text.size() - 1);
  // The rest (signatures, buffers) says nothing of interest here, but it must be there, and no more.
  unsigned fields = 2;
  for (; !reader.empty(); ++fields) {
    TRY_ASSIGN(const uint32_t size, reader.u32_le());
    TRY(reader.skip(size));
  }
  if (fields != form.fields)
    return corrupt(offset,
                   "the template " + escape(form.name) + " with " + std::to_string(fields) + " fields");
  return {};
}

// The template of 2009: a SHA-1 or MD5 digest in 20 bytes, and a name without an end.
Result<void> read_old_template(ByteReader& reader, ImaEvent& event) {
  const size_t start = reader.position();
  const ByteView whole = reader.rest();
  TRY_ASSIGN(event.digest, reader.bytes(kSha1Bytes));
  event.algo = hash_name(HashAlgo::kSha1);
  const uint64_t name_offset = reader.offset();
  TRY_ASSIGN(const uint32_t size, reader.u32_le());
  if (size >= kOldNameBytes) return corrupt(name_offset, "file name too long for the template ima");
  TRY_ASSIGN(const ByteView name, reader.bytes(size));
  event.path = as_text(name);
  if (event.path.find('\0') != std::string_view::npos)
    return corrupt(name_offset, "zero byte in a file name");
  event.data = whole.first(reader.position() - start);
  return {};
}

}  // namespace

Result<std::optional<ImaEvent>> ImaLogReader::next() {
  if (reader_.empty()) return std::optional<ImaEvent>();
  ImaEvent event;
  event.offset = reader_.offset();
  TRY_ASSIGN(event.pcr, reader_.u32_le());
  if (event.pcr >= kPcrCount) return corrupt(event.offset, "there is no PCR " + std::to_string(event.pcr));
  TRY_ASSIGN(event.sha1, reader_.bytes(kSha1Bytes));
  event.violation = all_zero(event.sha1);
  const uint64_t name_offset = reader_.offset();
  TRY_ASSIGN(const uint32_t name_size, reader_.u32_le());
  if (name_size == 0 || name_size > kMaxTemplateName)
    return corrupt(name_offset, "name of a template of " + std::to_string(name_size) + " bytes");
  TRY_ASSIGN(const ByteView name, reader_.bytes(name_size));
  event.template_name = as_text(name);
  if (event.template_name == kOldTemplate) {
    TRY(read_old_template(reader_, event));
  } else if (const Template* const form = find_template(event.template_name)) {
    TRY_ASSIGN(const uint32_t data_size, reader_.u32_le());
    const uint64_t data_offset = reader_.offset();
    TRY_ASSIGN(event.data, reader_.bytes(data_size));
    TRY(decode_fields(event.data, data_offset, *form, event));
  } else {
    return unsupported("offset " + std::to_string(name_offset) + ": unknown template " +
                       escape(event.template_name));
  }
  return std::optional<ImaEvent>(event);
}

Result<std::vector<ImaEvent>> read_ima_log(ByteView log) {
  if (log.size() > kMaxImaLogBytes) return unsupported("an IMA log of more than 256 MiB");
  std::vector<ImaEvent> events;
  ImaLogReader reader(log);
  for (;;) {
    TRY_ASSIGN(auto event, reader.next());
    if (!event) return events;
    events.push_back(*event);
  }
}

Result<Bytes> template_digest(const ImaEvent& event, HashAlgo bank) {
  if (event.violation) return Bytes(hash_size(bank), 0xff);
  if (event.template_name != kOldTemplate) return hash(bank, {event.data});
  // Hashed without the length, but padded with zeros.
  const Bytes padding(kOldNameBytes - event.path.size(), 0);
  return hash(bank, {event.digest, as_bytes(event.path), padding});
}

Result<void> replay_ima_event(const ImaEvent& event, PcrBank& bank) {
  TRY_ASSIGN(const Bytes digest, template_digest(event, bank.algo()));
  return bank.extend(event.pcr, digest);
}

Result<void> check_and_replay_ima_event(const ImaEvent& event, PcrBank& bank) {
  if (!event.violation) {
    TRY_ASSIGN(const Bytes sha1, template_digest(event, HashAlgo::kSha1));
    if (!std::equal(sha1.begin(), sha1.end(), event.sha1.begin(), event.sha1.end()))
      return corrupt(event.offset, "the template digest does not fit its data");
  }
  return replay_ima_event(event, bank);
}

Result<void> replay_ima_log(const std::vector<ImaEvent>& events, PcrBank& bank) {
  for (const ImaEvent& event : events) TRY(check_and_replay_ima_event(event, bank));
  return {};
}

}  // namespace diglim
