// SPDX-License-Identifier: Apache-2.0
#include "lib/tpm/esys.h"

#include <fcntl.h>
#include <poll.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include <cerrno>
#include <cstdlib>

#include "lib/base/text.h"

namespace diglim {

Error tpm_error(std::string_view what, TSS2_RC code) {
  const bool full = code == TPM2_RC_OBJECT_MEMORY || code == TPM2_RC_SESSION_MEMORY ||
                    code == TPM2_RC_OBJECT_HANDLES || code == TPM2_RC_SESSION_HANDLES;
  return Error{ErrorCode::kIo, full ? EBUSY : 0,
               "TPM: " + std::string(what) + ": " + escape(Tss2_RC_Decode(code))};
}

Result<void> tpm_check(std::string_view what, TSS2_RC code) {
  if (code != TSS2_RC_SUCCESS) return tpm_error(what, code);
  return {};
}

TSS2_RC kind_of(TSS2_RC code) {
  return (code & TPM2_RC_FMT1) != 0 ? code & (TPM2_RC_FMT1 | 0x3fU) : code;
}

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this != &other) {
    flush();
    context_ = other.context_;
    transient_ = other.transient_;
    handle_ = std::exchange(other.handle_, ESYS_TR_NONE);
  }
  return *this;
}

void Handle::flush() {
  if (handle_ == ESYS_TR_NONE) return;
  // What does not go now goes when the resource manager closes the connection.
  if (transient_) {
    (void)Esys_FlushContext(context_, handle_);
  } else {
    (void)Esys_TR_Close(context_, &handle_);
  }
  handle_ = ESYS_TR_NONE;
}

void TpmConnection::FreeTcti::operator()(TSS2_TCTI_CONTEXT* context) const {
  Tss2_TctiLdr_Finalize(&context);
}

namespace {

// A server may keep the connection and start programs: those are not to use its keys. tpm2-tss opens without
// O_CLOEXEC. A transport that does not show its descriptors keeps them to itself (Unix pipes of tcti-cmd).
void close_on_exec(TSS2_TCTI_CONTEXT* transport) {
  pollfd handles[kMaxPollHandles] = {};
  size_t count = kMaxPollHandles;
  if (Tss2_Tcti_GetPollHandles(transport, handles, &count) != TSS2_RC_SUCCESS) return;
  for (size_t i = 0; i < count; ++i) {
    const int flags = fcntl(handles[i].fd, F_GETFD);
    if (flags >= 0) (void)fcntl(handles[i].fd, F_SETFD, flags | FD_CLOEXEC);
  }
}

}  // namespace

Result<std::unique_ptr<TpmConnection>> connect_tpm(const std::string& tcti,
                                                   std::chrono::steady_clock::time_point deadline) {
  auto connection = std::make_unique<TpmConnection>();
  TSS2_TCTI_CONTEXT* transport = nullptr;
  if (const TSS2_RC code = Tss2_TctiLdr_Initialize(tcti.c_str(), &transport); code != TSS2_RC_SUCCESS)
    return not_found("no TPM at " + escape(tcti) + ": " + escape(Tss2_RC_Decode(code)));
  connection->tcti.reset(transport);
  close_on_exec(transport);
  connection->waiting = std::make_unique<WaitingTcti>(transport);
  connection->waiting->set_deadline(deadline);
  ESYS_CONTEXT* context = nullptr;
  TRY(tpm_check("connect", Esys_Initialize(&context, connection->waiting->context(), nullptr)));
  connection->esys.reset(context);
  return connection;
}

}  // namespace diglim
