// SPDX-License-Identifier: Apache-2.0
// Inside lib/tpm: a transport that does not wait for ever. ESYS's calls wait until the TPM answers; a TPM
// that never does, or that others keep, would hang a web server.
#pragma once

#include <tss2/tss2_tcti.h>

#include <chrono>
#include <cstddef>

namespace diglim {

constexpr size_t kMaxPollHandles = 8;  // that a transport has

// Hands everything to the transport that it is around. If no answer has begun to come by the deadline, the
// call fails with TSS2_TCTI_RC_IO_ERROR, and the connection is to be given up, since an answer may come
// later. The driver of a TPM device holds poll(2) while it runs a command, so there the kernel's own limits
// count once the command is under way. tpm2-tss cannot say what to wait for on the sockets of swtpm and
// mssim, so those are waited for as long as it takes.
class WaitingTcti {
 public:
  explicit WaitingTcti(TSS2_TCTI_CONTEXT* inner);
  WaitingTcti(const WaitingTcti&) = delete;
  WaitingTcti& operator=(const WaitingTcti&) = delete;

  void set_deadline(std::chrono::steady_clock::time_point deadline) { deadline_ = deadline; }
  bool timed_out() const { return timed_out_; }
  TSS2_TCTI_CONTEXT* context() { return reinterpret_cast<TSS2_TCTI_CONTEXT*>(&common_); }

 private:
  static WaitingTcti& of(TSS2_TCTI_CONTEXT* context);
  static TSS2_RC transmit(TSS2_TCTI_CONTEXT* context, size_t size, const uint8_t* command);
  static TSS2_RC receive(TSS2_TCTI_CONTEXT* context, size_t* size, uint8_t* response, int32_t timeout);
  static TSS2_RC cancel(TSS2_TCTI_CONTEXT* context);
  static TSS2_RC set_locality(TSS2_TCTI_CONTEXT* context, uint8_t locality);
  TSS2_RC wait_for_answer();

  TSS2_TCTI_CONTEXT_COMMON_V1 common_ = {};  // first: tpm2-tss knows this object by it
  TSS2_TCTI_CONTEXT* inner_;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
  bool asked_ = false;
  bool timed_out_ = false;
};

}  // namespace diglim
