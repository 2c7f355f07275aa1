// Whether the caller wants a long call to end (Ctrl-C). Asked between blocks and before every continuation; what was
// not computed by then is left as it is, and the caller throws all of it away.
#pragma once

namespace freeconv {

class Interrupt {
 public:
  using Poll = bool (*)(void*);

  Interrupt() = default;
  Interrupt(Poll poll, void* data) : poll_(poll), data_(data) {}

  bool stopped() {
    if (!stopped_ && poll_ != nullptr) stopped_ = poll_(data_);
    return stopped_;
  }

 private:
  Poll poll_ = nullptr;
  void* data_ = nullptr;
  bool stopped_ = false;
};

}  // namespace freeconv
