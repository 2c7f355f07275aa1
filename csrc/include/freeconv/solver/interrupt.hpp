// Whether the caller wants a long call to end (Ctrl-C). Asked between blocks and before every continuation; what was
// not computed by then is left as it is, and the caller throws all of it away.
#pragma once

#include <atomic>
#include <thread>

namespace freeconv {

class Interrupt {
 public:
  using Poll = bool (*)(void*);

  Interrupt() = default;
  // `poll` is called by the thread that makes this, and by no other.
  Interrupt(Poll poll, void* data) : poll_(poll), data_(data), owner_(std::this_thread::get_id()) {}

  bool stopped() {
    if (stopped_.load(std::memory_order_relaxed)) return true;
    if (poll_ == nullptr || std::this_thread::get_id() != owner_ || !poll_(data_)) return false;
    stopped_.store(true, std::memory_order_relaxed);
    return true;
  }

 private:
  Poll poll_ = nullptr;
  void* data_ = nullptr;
  std::thread::id owner_;
  std::atomic<bool> stopped_{false};
};

}  // namespace freeconv
