#include "freeconv/chain/dispatch.hpp"

#include <cstdlib>
#include <cstring>

namespace freeconv {

namespace baseline {
extern const Kernels kKernels;
}
#ifdef FREECONV_X86_LEVELS
namespace x86_64_v3 {
extern const Kernels kKernels;
}
namespace x86_64_v4 {
extern const Kernels kKernels;
}
#endif

namespace {

struct Choice {
  Kernels all[3];
  const char* names[4] = {};
  int count = 0;
  int chosen = 0;
  bool valid = true;

  void add(const char* name, const Kernels& kernels) {
    all[count] = kernels;
    all[count].isa = name;
    names[count++] = name;
  }

  Choice() {
    add("baseline", baseline::kKernels);
#ifdef FREECONV_X86_LEVELS
    __builtin_cpu_init();
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    if (v3) add("x86-64-v3", x86_64_v3::kKernels);
    const bool v4 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                    __builtin_cpu_supports("avx512cd");
    if (v3 && v4) add("x86-64-v4", x86_64_v4::kKernels);
#endif
    chosen = count - 1;
    const char* wanted = std::getenv("FREECONV_ISA");
    if (wanted == nullptr || *wanted == '\0') return;
    valid = false;
    for (int k = 0; k < count; ++k) {
      if (std::strcmp(wanted, names[k]) != 0) continue;
      chosen = k;
      valid = true;
    }
  }
};

// Read once: a call must not change its instruction set between two blocks.
const Choice& choice() {
  static const Choice made;
  return made;
}

}  // namespace

const Kernels& kernels() { return choice().all[choice().chosen]; }
const char* const* available_isas() { return choice().names; }
bool isa_is_valid() { return choice().valid; }

}  // namespace freeconv
