// Ctrl-C in a long call: the core asks every few microseconds, the signal handlers are asked every 50 ms.
#pragma once

#include <pybind11/pybind11.h>

#include <chrono>

#include "freeconv/solver/interrupt.hpp"

namespace freeconv::bindings {

// Made with the GIL held, used without it.
class Signals {
 public:
  Interrupt& interrupt() { return interrupt_; }

  // With the GIL held again: raises what the signal handlers raised.
  void raise_if_stopped() {
    if (raised_) throw pybind11::error_already_set();
  }

 private:
  using Clock = std::chrono::steady_clock;

  static bool poll(void* self) {
    auto& signals = *static_cast<Signals*>(self);
    const auto now = Clock::now();
    if (now - signals.asked_ < std::chrono::milliseconds(50)) return false;
    signals.asked_ = now;
    const pybind11::gil_scoped_acquire acquire;
    signals.raised_ = PyErr_CheckSignals() != 0;
    return signals.raised_;
  }

  Clock::time_point asked_ = Clock::now();
  bool raised_ = false;
  Interrupt interrupt_{&poll, this};
};

}  // namespace freeconv::bindings
