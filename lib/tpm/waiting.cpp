// SPDX-License-Identifier: Apache-2.0
#include "lib/tpm/waiting.h"

#include <poll.h>

#include <algorithm>
#include <type_traits>

namespace diglim {
namespace {

constexpr uint64_t kMagic = 0x6469676c696d7774;  // "diglimwt"

}  // namespace

WaitingTcti::WaitingTcti(TSS2_TCTI_CONTEXT* inner) : inner_(inner) {
  static_assert(std::is_standard_layout_v<WaitingTcti>);
  common_.magic = kMagic;
  common_.version = 1;
  common_.transmit = transmit;
  common_.receive = receive;
  common_.cancel = cancel;
  common_.setLocality = set_locality;
}

WaitingTcti& WaitingTcti::of(TSS2_TCTI_CONTEXT* context) {
  return *reinterpret_cast<WaitingTcti*>(context);
}

TSS2_RC WaitingTcti::wait_for_answer() {
  pollfd handles[kMaxPollHandles] = {};
  size_t count = kMaxPollHandles;
  // A transport that cannot be asked is waited for as long as it takes.
  if (Tss2_Tcti_GetPollHandles(inner_, handles, &count) != TSS2_RC_SUCCESS || count == 0)
    return TSS2_RC_SUCCESS;
  // tcti-device asks for POLLOUT, too, which a TPM that is at work reports at once.
  for (size_t i = 0; i < count; ++i) handles[i].events = POLLIN;
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
    const auto step = std::clamp<int64_t>(left.count(), 0, 1000);
    if (poll(handles, static_cast<nfds_t>(count), static_cast<int>(step)) > 0) {
      // What came before a connection broke is read, too.
      const bool came = std::any_of(handles, handles + count,
                                    [](const pollfd& handle) { return (handle.revents & POLLIN) != 0; });
      return came ? TSS2_RC_SUCCESS : TSS2_TCTI_RC_IO_ERROR;
    }
    if (left.count() <= 0) {
      timed_out_ = true;
      return TSS2_TCTI_RC_IO_ERROR;
    }
  }
}

TSS2_RC WaitingTcti::transmit(TSS2_TCTI_CONTEXT* context, size_t size, const uint8_t* command) {
  of(context).asked_ = true;
  return Tss2_Tcti_Transmit(of(context).inner_, size, command);
}

TSS2_RC WaitingTcti::receive(TSS2_TCTI_CONTEXT* context, size_t* size, uint8_t* response, int32_t timeout) {
  WaitingTcti& self = of(context);
  if (self.asked_) {
    if (const TSS2_RC code = self.wait_for_answer(); code != TSS2_RC_SUCCESS) return code;
  }
  self.asked_ = false;  // the rest of an answer is there, or on its way
  return Tss2_Tcti_Receive(self.inner_, size, response, timeout);
}

TSS2_RC WaitingTcti::cancel(TSS2_TCTI_CONTEXT* context) {
  return Tss2_Tcti_Cancel(of(context).inner_);
}

TSS2_RC WaitingTcti::set_locality(TSS2_TCTI_CONTEXT* context, uint8_t locality) {
  return Tss2_Tcti_SetLocality(of(context).inner_, locality);
}

}  // namespace diglim
