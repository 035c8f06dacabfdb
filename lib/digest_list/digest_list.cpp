// SPDX-License-Identifier: Apache-2.0
#include "lib/digest_list/digest_list.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/cms/appended_signature.h"
#include "lib/cms/cms.h"
#include "lib/digest_list/compact.h"
#include "lib/digest_list/not_counted.h"
#include "lib/openpgp/signature.h"
#include "lib/rpm/header.h"
#include "lib/rpm/package.h"
#include "lib/rpm/package_file.h"

namespace diglim {
namespace {

struct Signature {
  ByteView packets;
  uint64_t offset = 0;
};

// Who signed `message`, if that counts.
Result<std::string> judge(const std::vector<Signature>& signatures, MessageHash& message,
                          const TrustStore& trust) {
  std::string signer;
  std::string reasons;
  size_t seen = 0;
  for (const Signature& signature : signatures) {
    TRY_ASSIGN(const auto judgements, openpgp::judge_signatures(signature.packets, signature.offset, message,
                                                                trust.certificates(), trust.policy()));
    // The limits of both formats multiply otherwise, and a signature of version 6 costs a hash of the
    // message.
    seen += judgements.size();
    if (seen > openpgp::kMaxSignatures) return corrupt(signature.offset, "too many signatures");
    for (const openpgp::Judgement& judgement : judgements) {
      // Without a signer: a version of signature that is not known.
      const std::string line = (judgement.signer.empty() ? "" : judgement.signer + ": ") + judgement.reason;
      if (judgement.verdict == openpgp::Verdict::kBad) return untrusted(line);
      if (judgement.verdict == openpgp::Verdict::kGood) {
        if (signer.empty()) signer = judgement.signer;
        continue;
      }
      // RPM 6 writes one signature under two tags: once is enough to say.
      if (reasons.find(line) != std::string::npos) continue;
      reasons += (reasons.empty() ? "" : "; ") + line;
    }
  }
  if (!signer.empty()) return signer;
  return untrusted(reasons.empty() ? "no header signature" : reasons);
}

Result<DigestList> list_from_header(ByteView header, uint64_t offset, std::string signer) {
  TRY_ASSIGN(rpm::Package package, rpm::read_package(header, offset));
  DigestList list;
  list.format = ListFormat::kRpm;
  list.name = std::move(package.nevra);
  list.signer = std::move(signer);
  for (auto& [algo, digests] : package.digests) append(list.digests[algo], digests);
  list.undigested = package.undigested;
  return list;
}

Result<DigestList> verify_package(ByteView file, const TrustStore& trust) {
  TRY_ASSIGN(const rpm::SignedHeader located, rpm::locate_package(file));
  std::vector<Signature> signatures;
  for (const auto& [packets, offset] : located.signatures) signatures.push_back({packets, offset});
  MessageHash message(located.signed_bytes);
  TRY_ASSIGN(std::string signer, judge(signatures, message, trust));
  TRY_ASSIGN(DigestList list,
             list_from_header(located.signed_bytes, located.header_offset, std::move(signer)));
  // The signed bytes are the end of it, so their hash is of no use here.
  TRY_ASSIGN(list.content_hash, hash(HashAlgo::kSha256, {file}));
  return list;
}

// `message`, the content, is how a file with an appended signature begins.
Result<Bytes> hash_of_file(ByteView file, MessageHash& message) {
  return message.hash(HashAlgo::kSha256, file.subspan(message.message().size()));
}

Result<DigestList> verify_header_list(ByteView file, const TrustStore& trust) {
  TRY_ASSIGN(const AppendedSignature appended, split_appended_signature(file));
  if (appended.type != SignatureType::kPgp) return unsupported("an RPM header needs an OpenPGP signature");
  // Nothing but geometry, as for a package; without it bytes after the header would be signed, yet read by
  // nobody.
  TRY(rpm::check_main_header(appended.content, 0));
  MessageHash message(appended.content);
  TRY_ASSIGN(std::string signer, judge({{appended.signature, appended.signature_offset}}, message, trust));
  TRY_ASSIGN(DigestList list, list_from_header(appended.content, 0, std::move(signer)));
  TRY_ASSIGN(list.content_hash, hash_of_file(file, message));
  return list;
}

Result<DigestList> verify_compact(ByteView file, const TrustStore& trust) {
  TRY_ASSIGN(const AppendedSignature appended, split_appended_signature(file));
  if (appended.type != SignatureType::kPkcs7) return unsupported("a compact list needs a CMS signature");
  DigestList list;
  list.format = ListFormat::kCompact;
  MessageHash message(appended.content);
  const auto signer_among = [&](const std::vector<X509Ptr>& keys) {
    return verify_cms(appended.signature, appended.signature_offset, message, keys, trust.policy());
  };
  auto signer = signer_among(trust.x509());
  if (!signer && signer.error().code == ErrorCode::kUntrusted) {
    if (const auto revoked = signer_among(trust.denied_x509()))
      return untrusted(*revoked + ": a deny list revokes the key");
  }
  TRY_ASSIGN(list.signer, std::move(signer));
  TRY_ASSIGN(list.content_hash, hash_of_file(file, message));
  TRY_ASSIGN(CompactList compact, read_compact(appended.content));
  for (auto& [algo, digests] : compact.digests) {
    if (!digests.empty()) list.digests[algo] = std::move(digests);
  }
  return list;
}

// --- from a file that may be anything: huge, a FIFO, growing, lying about its size ---

Result<void> read_head(const Fd& fd, const std::string& path, Bytes& bytes) {
  for (;;) {
    TRY_ASSIGN(const size_t wanted, rpm::package_head_size(bytes));
    if (wanted > kMaxListBytes)
      return unsupported("a header larger than " + std::to_string(kMaxListBytes) + " bytes");
    if (wanted <= bytes.size()) return {};
    const size_t before = bytes.size();
    TRY(read_up_to(fd, path, wanted, bytes));
    if (bytes.size() == before) return {};  // truncated: locate_package() says where
  }
}

}  // namespace

std::string_view format_name(ListFormat format) {
  return format == ListFormat::kRpm ? "rpm" : "compact";
}

size_t DigestList::count(HashAlgo algo) const {
  const auto found = digests.find(algo);
  return found == digests.end() ? 0 : found->second.size() / hash_size(algo);
}

size_t DigestList::count() const {
  size_t total = 0;
  for (const auto& [algo, bytes] : digests) total += bytes.size() / hash_size(algo);
  return total;
}

std::string DigestList::not_counted(HashAlgo kernel) const {
  std::optional<HashAlgo> theirs;
  for (const auto& [algo, bytes] : digests) {
    if (algo != kernel) theirs = algo;
  }
  return not_counted_text(undigested + count() - count(kernel), theirs, kernel);
}

namespace {

Result<void> apply_denials(DigestList& list, const Denials& denials) {
  if (denials.lists().empty()) return {};
  if (const DenyEntry* const denial = denials.of_package(list.name)) return untrusted(revoked_text(*denial));
  for (auto entry = list.digests.begin(); entry != list.digests.end();) {
    auto& [algo, digests] = *entry;
    const std::span<const Bytes> denied = denials.digests(algo);
    const auto is_less = [](ByteView a, ByteView b) { return std::ranges::lexicographical_compare(a, b); };
    const size_t size = hash_size(algo);
    Bytes kept;
    for (size_t at = 0; !denied.empty() && at + size <= digests.size(); at += size) {
      const ByteView one = ByteView(digests).subspan(at, size);
      if (std::binary_search(denied.begin(), denied.end(), one, is_less))
        ++list.revoked;
      else
        append(kept, one);
    }
    if (!denied.empty()) digests = std::move(kept);
    entry = digests.empty() ? list.digests.erase(entry) : std::next(entry);
  }
  return {};
}

}  // namespace

Result<DigestList> verify_digest_list(ByteView file, const TrustStore& trust) {
  const auto verify = rpm::looks_like_package(file)  ? verify_package
                      : rpm::looks_like_header(file) ? verify_header_list
                                                     : verify_compact;
  TRY_ASSIGN(DigestList list, verify(file, trust));
  TRY(apply_denials(list, trust.denials()));
  return list;
}

Result<Bytes> read_digest_list_file(const std::string& path) {
  // O_NONBLOCK: a FIFO in place of a file must not hang us. It means nothing for a regular file.
  TRY_ASSIGN(const Fd fd, open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  struct stat info = {};
  if (fstat(fd.get(), &info) != 0) return from_errno("stat " + escape(path), errno);
  if (!S_ISREG(info.st_mode)) return unsupported("not a regular file");

  Bytes bytes;
  TRY(read_up_to(fd, path, 4, bytes));
  if (rpm::looks_like_package(bytes)) {
    TRY(read_head(fd, path, bytes));
  } else {
    // What the size says is believed only where it says no; files of /proc say 0, and files may grow.
    const bool says_too_large = static_cast<uint64_t>(info.st_size) > kMaxListBytes;
    if (!says_too_large) TRY(read_up_to(fd, path, kMaxListBytes + 1, bytes));
    if (says_too_large || bytes.size() > kMaxListBytes)
      return unsupported("larger than the limit of " + std::to_string(kMaxListBytes) + " bytes");
  }
  return bytes;
}

Result<DigestList> verify_digest_list_file(const std::string& path, const TrustStore& trust) {
  TRY_ASSIGN(const Bytes bytes, read_digest_list_file(path));
  return verify_digest_list(bytes, trust);
}

}  // namespace diglim
