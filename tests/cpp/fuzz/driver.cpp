// A main for the fuzz target without libFuzzer: seeded mutations of valid programs, and random bytes.
//
//   fuzz_program RUNS [FIRST [EVERY]]   runs FIRST ... FIRST + RUNS - 1, one of EVERY with a Spectrum
//
// The runs are made in a child process. What breaks it is named by its run, to be repeated alone. A mutated program
// that takes too long is given up and counted: parameters that span hundreds of decades may keep the continuation busy
// for minutes. A valid one may not.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "corpus.hpp"
#include "random.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace freeconv::fuzz {
namespace {

constexpr unsigned kMostSeconds = 1;
constexpr unsigned kMostSecondsOfValid = 60;
constexpr std::size_t kLongest = 600;

std::size_t place(test::Random& random, std::size_t count) {
  return static_cast<std::size_t>(random.below(static_cast<std::int64_t>(count)));
}

void mutate(test::Random& random, const std::vector<Bytes>& corpus, Bytes& input) {
  const auto byte = [&] { return static_cast<std::uint8_t>(place(random, 256)); };
  const std::size_t at = place(random, input.size() + 1);
  const auto here = input.begin() + static_cast<std::ptrdiff_t>(at);
  const auto rest = input.end() - here;
  switch (random.below(8)) {
    case 0: input.insert(here, byte()); return;
    case 1: input.erase(here, here + std::min<std::ptrdiff_t>(rest, 1 + random.below(9))); return;
    case 2:
      if (rest > 0) *here = static_cast<std::uint8_t>(*here ^ (1U << random.below(8)));
      return;
    case 3:
      if (rest > 0) *here = byte();
      return;
    case 4:  // the next number that is written with all its bits becomes a special one
      for (auto it = here; input.end() - it >= 9; ++it) {
        if (*it != Reader::kAllBits) continue;
        *it = static_cast<std::uint8_t>(Reader::kSpecial + random.below(64));
        input.erase(it + 1, it + 9);
        return;
      }
      return;
    case 5:
      if (!input.empty()) input[0] = byte();  // the flags
      return;
    default: {  // a part of another program goes in
      const Bytes& other = corpus[place(random, corpus.size())];
      const std::size_t from = place(random, other.size());
      const std::size_t length = std::min(place(random, 80), other.size() - from);
      const auto first = other.begin() + static_cast<std::ptrdiff_t>(from);
      input.insert(here, first, first + static_cast<std::ptrdiff_t>(length));
    }
  }
}

Bytes make_input(std::uint64_t run, std::uint64_t every, const std::vector<Bytes>& corpus) {
  if (run < corpus.size()) return corpus[run];
  test::Random random(run);
  Bytes input;
  if (random.below(4) == 0) {
    for (std::int64_t i = random.below(100); i >= 0; --i) input.push_back(static_cast<std::uint8_t>(random.below(256)));
  } else {
    input = corpus[place(random, corpus.size())];
    for (std::int64_t i = random.below(4); i >= 0; --i) mutate(random, corpus, input);
  }
  input.resize(std::min(std::max(input.size(), std::size_t{1}), kLongest));
  const int others = input[0] & ~kSpectrum;
  input[0] = static_cast<std::uint8_t>(run % every == 0 ? others | kSpectrum : others);
  return input;
}

// Makes the runs from `run` on, which the parent sees.
void make_runs(std::atomic<std::uint64_t>& run, std::uint64_t end, std::uint64_t every,
               const std::vector<Bytes>& corpus) {
  for (; run < end; ++run) {
    const Bytes input = make_input(run, every, corpus);
    alarm(run < corpus.size() ? kMostSecondsOfValid : kMostSeconds);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  alarm(0);
}

}  // namespace
}  // namespace freeconv::fuzz

int main(int count, char** values) {
  using namespace freeconv::fuzz;
  const auto argument = [&](int i, std::uint64_t otherwise) {
    return count > i ? std::strtoull(values[i], nullptr, 10) : otherwise;
  };
  const std::uint64_t first = argument(2, 0);
  const std::uint64_t end = first + argument(1, 1000);
  const std::uint64_t every = std::max<std::uint64_t>(argument(3, 100), 1);
  void* shared =
      mmap(nullptr, sizeof(std::atomic<std::uint64_t>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 2;
  auto& run = *new (shared) std::atomic<std::uint64_t>(first);
  std::vector<Bytes> corpus;
  for (const Tree& tree : valid_trees()) corpus.push_back(encode(tree));
  int given_up = 0;
  while (run < end) {
    std::fflush(stdout);  // or the child would print it again
    const pid_t child = fork();
    if (child < 0) return 2;
    if (child == 0) {
      make_runs(run, end, every, corpus);
      return 0;  // here, so that leaks are looked for
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (status == 0) break;
    const bool slow = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    if (!slow || run < corpus.size()) {
      std::printf("failed: run %llu%s\n", static_cast<unsigned long long>(run.load()), slow ? ", too slow" : "");
      return 1;
    }
    ++given_up;
    ++run;
  }
  std::printf("%llu runs, %d given up\n", static_cast<unsigned long long>(end - first), given_up);
  return 0;
}
