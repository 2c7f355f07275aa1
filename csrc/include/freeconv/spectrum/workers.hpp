// One call's points shared out among threads, chunk by chunk. Which thread takes which chunk is left to chance; no
// value depends on it, since none depends on its neighbours.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

namespace freeconv {

// A chunk takes from 0.15 ms (a thread starts in a fifth of that) to some ms: the caller waits for no longer once it
// has run out of chunks itself.
inline constexpr std::size_t kChunk = 4096;

// Calls make() once a thread and what it returns as task(begin, end) until [0, n) is done, `chunk` at a time. The
// calling thread takes part. (No thread outlives the call: pools and OpenMP hang in children of a fork.) What a task
// throws ends the call, and comes out of it: from a thread it would end the process.
template <class Make>
void share_out(std::size_t n, int workers, std::size_t chunk, const Make& make) {
  const std::size_t chunks = (n + chunk - 1) / chunk;
  std::atomic<std::size_t> next{0};
  std::atomic_flag failed;
  std::exception_ptr failure;
  const auto work = [&] {
    try {
      auto task = make();
      for (std::size_t k = next++; k < chunks; k = next++) task(k * chunk, std::min(n, (k + 1) * chunk));
    } catch (...) {
      if (!failed.test_and_set()) failure = std::current_exception();
      next = chunks;
    }
  };
  const std::size_t wanted = std::min(static_cast<std::size_t>(std::max(workers, 1)), chunks);
  std::vector<std::thread> others;
  others.reserve(wanted);
  try {
    for (std::size_t t = 1; t < wanted; ++t) others.emplace_back(work);
  } catch (const std::system_error&) {
    // The system gives no more threads: those there are do the work.
  }
  work();
  for (std::thread& thread : others) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace freeconv
