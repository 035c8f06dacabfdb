// SPDX-License-Identifier: Apache-2.0
#include "tools/events/outlet.h"

#include <chrono>
#include <utility>

namespace diglim::events {

struct Outlet::Shared {
  Write write;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::shared_ptr<const Event>> queue;
  State state;
  bool is_writing = false;  // what is neither in the queue nor dealt with
  bool end = false;
  bool ended = false;
};

Outlet::Outlet(std::string name, Write write, State state)
    : name_(std::move(name)), shared_(std::make_shared<Shared>()) {
  shared_->write = std::move(write);
  shared_->state = std::move(state);
  thread_ = std::thread(work, shared_);
}

Outlet::~Outlet() {
  stop();
}

void Outlet::stop() {
  if (!thread_.joinable()) return;
  std::unique_lock lock(shared_->mutex);
  shared_->end = true;
  shared_->changed.notify_all();
  const bool ended = shared_->changed.wait_for(lock, std::chrono::seconds(2), [&] { return shared_->ended; });
  lock.unlock();
  if (ended)
    thread_.join();
  else
    thread_.detach();
}

void Outlet::give(std::shared_ptr<const Event> event, uint64_t number) {
  const std::lock_guard lock(shared_->mutex);
  State& state = shared_->state;
  const uint64_t expected = state.next + shared_->queue.size() + (shared_->is_writing ? 1 : 0);
  // What an earlier process was given and did not write, or did not say that it wrote. A keeper that took
  // another's place may count from a little before.
  if (!state.is_fresh && number > expected) state.lost += number - expected;
  state.is_fresh = false;
  state.next += number - expected;
  if (shared_->queue.size() == kMostQueued) {
    ++state.lost;
    ++state.next;
    shared_->queue.pop_front();
  }
  shared_->queue.push_back(std::move(event));
  shared_->changed.notify_all();
}

void Outlet::work(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  for (;;) {
    shared->changed.wait(lock, [&] { return shared->end || !shared->queue.empty(); });
    if (shared->queue.empty()) break;
    const std::shared_ptr<const Event> event = std::move(shared->queue.front());
    shared->queue.pop_front();
    shared->is_writing = true;
    const uint64_t all = event->lost + shared->state.lost;
    const uint64_t lost = all > shared->state.said ? all - shared->state.said : 0;
    lock.unlock();
    const auto written = shared->write(*event, lost);
    lock.lock();
    State& state = shared->state;
    shared->is_writing = false;
    ++state.next;  // not before: if this process ends, the next one counts the event as lost
    state.error = written ? "" : written.error().message;
    ++(written ? state.written : state.lost);
    if (written) state.said += lost;
  }
  shared->ended = true;
  shared->changed.notify_all();
}

Outlet::State Outlet::state() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->state;
}

size_t Outlet::queued() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->queue.size() + (shared_->is_writing ? 1 : 0);
}

}  // namespace diglim::events
