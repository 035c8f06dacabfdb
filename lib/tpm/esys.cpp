// SPDX-License-Identifier: Apache-2.0
#include "lib/tpm/esys.h"

#include <fcntl.h>
#include <poll.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/tpm/tpm.h"

namespace diglim {

bool has_resource_manager(const std::string& tcti) {
  return tcti.starts_with("tabrmd") ||
         (tcti.starts_with("device:") && tcti.find("tpmrm") != std::string::npos);
}

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

// tpm2-tss would write each reason that it cannot open a device, at each try, to the program's standard
// error.
Result<void> check_device(const std::string& tcti) {
  constexpr std::string_view kDevice = "device:";
  if (!tcti.starts_with(kDevice)) return {};
  const std::string path = tcti.substr(kDevice.size());
  if (path.empty()) return {};
  int why = faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK, AT_EACCESS) == 0 ? 0 : errno;
  // Without a resource manager one program at a time has it.
  if (why == 0 && !has_resource_manager(tcti) && !Fd(open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC)))
    why = errno;
  if (why == 0) return {};
  const char* todo = "";
  if (why == EACCES) todo = "; this user has to be in its group";
  if (why == ENOENT) todo = "; is the TPM on in the firmware, and its device here, too (chroot, container)?";
  if (why == EBUSY) todo = "; another program has it: /dev/tpmrm0 is for all at once";
  return Error{ErrorCode::kNotFound, why, from_errno("no TPM at " + escape(tcti), why).message + todo};
}

}  // namespace

TSS2_RC ask_quietly(const TpmConnection& tpm, const Handle& session,
                    const std::function<TSS2_RC(TSS2_SYS_CONTEXT*, TPM2_HANDLE)>& command) {
  TSS2_SYS_CONTEXT* context = nullptr;
  TPM2_HANDLE number = 0;
  TSS2_RC code = Esys_GetSysContext(tpm.context(), &context);
  if (code == TSS2_RC_SUCCESS) code = Esys_TR_GetTpmHandle(tpm.context(), session.get(), &number);
  if (code != TSS2_RC_SUCCESS) return code;
  // "Not now" of a TPM is no refusal; ESYS asks as often.
  constexpr int kTries = 5;
  for (int i = 0; i < kTries; ++i) {
    code = command(context, number);
    if (code != TPM2_RC_RETRY && code != TPM2_RC_YIELDED && code != TPM2_RC_TESTING) break;
  }
  return code;
}

Result<std::unique_ptr<TpmConnection>> connect_tpm(const std::string& tcti,
                                                   std::chrono::steady_clock::time_point deadline) {
  TRY(check_device(tcti));
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
