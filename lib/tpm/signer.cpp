// SPDX-License-Identifier: Apache-2.0
#include "lib/tpm/signer.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

#include "lib/base/text.h"
#include "lib/tcg/marshal.h"
#include "lib/tcg/tpm_hash.h"
#include "lib/tpm/key_public.h"
#include "lib/tpm/keys.h"
#include "lib/tpm/nv_counter.h"

namespace diglim {
namespace {

using Clock = std::chrono::steady_clock;
using TicketPtr = EsysPtr<TPMT_TK_VERIFIED>;

constexpr size_t kLoadedKeys = 2;  // a TPM need hold three objects only, and an approval needs one
constexpr auto kRetryAfter = std::chrono::milliseconds(20);
// At boot a device, and its group, come a moment after the server; later waiting does not mend that.
constexpr auto kDeviceAppears = std::chrono::seconds(2);

Error not_now() {
  return untrusted(
      "the PCRs hold values that this key does not work with: an unknown program was used, or an update was "
      "not authorized yet (diglim tls authorize), or the TPM's counter has passed what was authorized "
      "(diglim pcr counter); diglim pcr explain names what differs");
}

Result<TPMT_SIG_SCHEME> tpm_scheme(SignatureScheme scheme, HashAlgo algo) {
  if (algo != HashAlgo::kSha256 && algo != HashAlgo::kSha384 && algo != HashAlgo::kSha512)
    return unsupported("a TPM key signs SHA-256, SHA-384 and SHA-512 only");
  TPMT_SIG_SCHEME out = {};
  out.scheme = scheme == SignatureScheme::kEcdsa      ? TPM2_ALG_ECDSA
               : scheme == SignatureScheme::kRsaPkcs1 ? TPM2_ALG_RSASSA
                                                      : TPM2_ALG_RSAPSS;
  out.details.any.hashAlg = hash_to_tpm(algo);
  return out;
}

// Without a resource manager all processes share a TPM's room for three keys and three sessions. Those who
// found it full try again after different times, so that one of them gets all that it needs.
void wait_for_room() {
  const auto now = static_cast<uint64_t>(Clock::now().time_since_epoch().count());
  std::this_thread::sleep_for(
      std::chrono::milliseconds(5 + (now / 1000 + static_cast<uint64_t>(getpid())) % 45));
}

// Whose turn it is, in this process: a TPM does one thing at a time anyway. A fork takes a turn, too. So the
// child, where no other thread goes on, finds neither a lock that is held nor half a connection.
struct Turn {
  std::timed_mutex mutex;
  Turn();
};

Turn& turn() {
  static Turn the_one;
  return the_one;
}

// What reaches the TPM may fork by itself (the TCTI "cmd:" starts a program): that has its turn already.
thread_local bool has_turn = false;

void before_fork() {
  if (!has_turn) turn().mutex.lock();
}
void after_fork() {
  if (!has_turn) turn().mutex.unlock();
}

struct HasTurn {
  HasTurn() { has_turn = true; }
  ~HasTurn() { has_turn = false; }
  HasTurn(const HasTurn&) = delete;
  HasTurn& operator=(const HasTurn&) = delete;
};

Turn::Turn() {
  (void)pthread_atfork(before_fork, after_fork, after_fork);  // fails only when memory is gone
}

}  // namespace

struct LoadedKey {
  Bytes private_part;  // by which it is known
  Handle handle;
  std::vector<TicketPtr> tickets;  // of the ways' approvals: verified once
  size_t last_way = 0;             // which fitted
};

// A connection and what it has in the TPM.
struct TpmSigner::Line {
  pid_t owner = getpid();
  std::unique_ptr<TpmConnection> tpm;
  Handle hmac;
  Handle policy;
  bool policy_begun = false;
  std::list<LoadedKey> keys;  // the last used first

  ~Line() {
    // What the parent process has in the TPM is not ours to flush; a TPM that did not answer is not asked.
    if (owner == getpid() && !tpm->waiting->timed_out()) return;
    hmac.forget();
    policy.forget();
    for (LoadedKey& key : keys) key.handle.forget();
  }

  ESYS_CONTEXT* context() const { return tpm->context(); }
  Result<LoadedKey*> load(const TpmKeyParts& key);
  Result<void> start_sessions(const TpmKey& parent, bool with_policy);
  Result<TicketPtr> verify(const Approval& approval);
  Result<bool> follow(LoadedKey& key, const PolicyWay& way, TicketPtr& ticket);
  Result<void> satisfy(LoadedKey& key, const std::vector<PolicyWay>& ways);
};

Result<void> TpmSigner::Line::start_sessions(const TpmKey& parent, bool with_policy) {
  constexpr TPMA_SESSION kBoth = TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT;
  if (!hmac) {
    TRY_ASSIGN(hmac, start_session(*tpm, parent.handle, TPM2_SE_HMAC, kBoth));
  }
  if (with_policy && !policy) {
    TRY_ASSIGN(policy, start_session(*tpm, parent.handle, TPM2_SE_POLICY,
                                     TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_DECRYPT));
  }
  return {};
}

Result<LoadedKey*> TpmSigner::Line::load(const TpmKeyParts& parts) {
  const ByteView wanted(parts.private_part.buffer, parts.private_part.size);
  for (auto key = keys.begin(); key != keys.end(); ++key) {
    if (!std::ranges::equal(key->private_part, wanted)) continue;
    keys.splice(keys.begin(), keys, key);
    return &keys.front();
  }
  while (keys.size() >= kLoadedKeys) keys.pop_back();
  TRY_ASSIGN(const TpmKey parent, parts.parent == TPM2_RH_OWNER ? load_storage_key(*tpm)
                                                                : load_persistent_key(*tpm, parts.parent));
  TRY(start_sessions(parent, !parts.ways.empty()));
  constexpr TPMA_SESSION kEncrypts = TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT;
  TRY(tpm_check("configure a session",
                Esys_TRSess_SetAttributes(context(), hmac.get(), kEncrypts, kEncrypts)));
  ESYS_TR object = ESYS_TR_NONE;
  const TSS2_RC code = Esys_Load(context(), parent.handle.get(), hmac.get(), ESYS_TR_NONE, ESYS_TR_NONE,
                                 &parts.private_part, &parts.public_part, &object);
  if (kind_of(code) == TPM2_RC_INTEGRITY)
    return untrusted("this key was made by another TPM, or before this one was cleared");
  TRY(tpm_check("load the key", code));
  keys.push_front({to_bytes(wanted), Handle(context(), object), {}, 0});
  keys.front().tickets.resize(parts.ways.size());
  return &keys.front();
}

Result<TicketPtr> TpmSigner::Line::verify(const Approval& approval) {
  ESYS_TR object = ESYS_TR_NONE;
  TRY(tpm_check("load the authorizing key",
                Esys_LoadExternal(context(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, nullptr,
                                  &approval.authority, ESYS_TR_RH_OWNER, &object)));
  const Handle loaded(context(), object);
  TRY_ASSIGN(
      const Bytes signed_hash,
      hash(HashAlgo::kSha256, {approval.approved, {approval.reference.buffer, approval.reference.size}}));
  TPM2B_DIGEST digest = {};
  TRY(fill(digest.size, digest.buffer, signed_hash));
  TPMT_TK_VERIFIED* ticket = nullptr;
  TRY(tpm_check("verify the authorization",
                Esys_VerifySignature(context(), object, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &digest,
                                     &approval.signature, &ticket)));
  return TicketPtr(ticket);
}

// False: the registers hold other values, or the counter has passed the limit.
Result<bool> TpmSigner::Line::follow(LoadedKey& key, const PolicyWay& way, TicketPtr& ticket) {
  if (policy_begun)
    TRY(tpm_check("restart a policy",
                  Esys_PolicyRestart(context(), policy.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE)));
  policy_begun = true;
  for (const PcrStatement& statement : way.pcrs) {
    const TSS2_RC code = ask_quietly(*tpm, policy, [&](TSS2_SYS_CONTEXT* sys, TPM2_HANDLE session) {
      return Tss2_Sys_PolicyPCR(sys, session, nullptr, &statement.digest, &statement.selection, nullptr);
    });
    if (kind_of(code) == TPM2_RC_VALUE) return false;
    TRY(tpm_check("check the PCRs", code));
  }
  if (way.limit) {
    TRY_ASSIGN(const bool current, follow_counter(*tpm, policy, *way.limit));
    if (!current) return false;
  }
  if (!way.approval) return true;
  if (!ticket) {
    auto verified = verify(*way.approval);
    if (!verified) {
      key.last_way = 0;
      return verified.error();
    }
    ticket = *std::move(verified);
  }
  TPM2B_DIGEST approved = {};
  TRY(fill(approved.size, approved.buffer, way.approval->approved));
  TPM2B_NAME name = {};
  TRY(fill(name.size, name.name, way.approval->name));
  TRY(tpm_check("approve of the PCRs",
                Esys_PolicyAuthorize(context(), policy.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                     &approved, &way.approval->reference, &name, ticket.get())));
  return true;
}

Result<void> TpmSigner::Line::satisfy(LoadedKey& key, const std::vector<PolicyWay>& ways) {
  // The one that fitted before, then the newest first. More may have been added to the file since.
  key.tickets.resize(ways.size());
  std::vector<size_t> order;
  if (key.last_way < ways.size()) order.push_back(key.last_way);
  for (size_t i = ways.size(); i-- > 0;) {
    if (i != key.last_way) order.push_back(i);
  }
  for (const size_t i : order) {
    TRY_ASSIGN(const bool fits, follow(key, ways[i], key.tickets[i]));
    if (!fits) continue;
    key.last_way = i;
    return {};
  }
  return not_now();
}

TpmSigner::TpmSigner(SignerSettings settings) : settings_(std::move(settings)) {}
TpmSigner::~TpmSigner() = default;

Result<void> TpmSigner::open_line(Clock::time_point deadline) {
  if (line_ && line_->owner != getpid()) line_.reset();
  const auto soon = Clock::now() + kDeviceAppears;
  while (!line_) {
    auto connection = connect_tpm(settings_.tcti, deadline);
    if (connection) {
      line_ = std::make_unique<Line>();
      line_->tpm = *std::move(connection);
    } else if (const int why = connection.error().sys_errno;
               Clock::now() >= deadline || (why != 0 && why != EBUSY && Clock::now() >= soon)) {
      return connection.error();
    } else {
      std::this_thread::sleep_for(kRetryAfter);
    }
  }
  line_->tpm->waiting->set_deadline(deadline);
  return {};
}

// What fails for another reason than policy or key is tried once more on a new connection: the TPM may have
// been reset (suspend), or somebody else flushed what was ours.
template <typename Use>
auto TpmSigner::with_line(Use use) -> decltype(use(std::declval<Line&>())) {
  const auto deadline = Clock::now() + settings_.wait;
  const std::unique_lock lock(turn().mutex, deadline);
  if (!lock)
    return Error{ErrorCode::kIo, 0,
                 "TPM: other threads kept it busy for " + std::to_string(settings_.wait.count()) + " ms"};
  const HasTurn mine;
  for (bool again = true;;) {
    const bool fresh = !line_ || line_->owner != getpid();
    TRY(open_line(deadline));
    auto result = use(*line_);
    const bool lasting = result || result.error().code == ErrorCode::kUntrusted;
    const bool late = line_->tpm->waiting->timed_out();
    if (!settings_.keep || !lasting) line_.reset();
    if (late)
      return Error{
          ErrorCode::kIo, 0,
          "TPM: no answer within " + std::to_string(settings_.wait.count()) + " ms: it is busy, or away"};
    if (!result && result.error().sys_errno == EBUSY && Clock::now() < deadline) {
      line_.reset();
      wait_for_room();
      continue;
    }
    if (lasting || fresh || !again) return result;
    again = false;
  }
}

Result<void> TpmSigner::check(const TpmKeyParts& key) {
  return with_line([&](Line& line) -> Result<void> {
    TRY(line.load(key));
    return {};
  });
}

Result<Bytes> TpmSigner::sign(const TpmKeyParts& parts, SignatureScheme scheme, HashAlgo algo,
                              ByteView message_digest) {
  TRY_ASSIGN(const TPMT_SIG_SCHEME wanted, tpm_scheme(scheme, algo));
  TPM2B_DIGEST digest = {};
  TRY(fill(digest.size, digest.buffer, message_digest));
  return with_line([&](Line& line) -> Result<Bytes> {
    TRY_ASSIGN(LoadedKey * key, line.load(parts));
    const TPMT_TK_HASHCHECK unrestricted = {TPM2_ST_HASHCHECK, TPM2_RH_NULL, {}};
    TSS2_RC code = TSS2_RC_SUCCESS;
    for (int tries = 0; tries < 3; ++tries) {
      if (!parts.ways.empty()) TRY(line.satisfy(*key, parts.ways));
      // A signature is no parameter that a session could encrypt on the way back.
      if (parts.ways.empty())
        TRY(tpm_check("configure a session",
                      Esys_TRSess_SetAttributes(line.context(), line.hmac.get(), TPMA_SESSION_DECRYPT,
                                                TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT)));
      TPMT_SIGNATURE* signature = nullptr;
      code =
          Esys_Sign(line.context(), key->handle.get(), (parts.ways.empty() ? line.hmac : line.policy).get(),
                    ESYS_TR_NONE, ESYS_TR_NONE, &digest, &wanted, &unrestricted, &signature);
      if (code == TSS2_RC_SUCCESS) {
        line.policy_begun = false;  // a policy session that was used starts anew
        const EsysPtr<TPMT_SIGNATURE> owner(signature);
        return openssl_signature(*signature);
      }
      if (code != TPM2_RC_PCR_CHANGED) break;  // between policy and use: by a register that may not matter
    }
    if (kind_of(code) == TPM2_RC_POLICY_FAIL || code == TPM2_RC_PCR_CHANGED) return not_now();
    return tpm_error("sign", code);
  });
}

}  // namespace diglim
