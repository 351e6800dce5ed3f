// Drives one Verilated dot product with random vectors and compares every clock with the golden,
// which is written here once for both. Arguments: seed, clocks. LANES and X_BITS come from the
// command line of the compiler.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>

#include "Vdut.h"

namespace {

uint64_t state;

uint64_t random64() {  // SplitMix64
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

template <typename Wide>
void put(Wide& wide, int lo, int bits, uint32_t value) {
  for (int i = 0; i < bits; i++) {
    uint32_t mask = 1u << ((lo + i) % 32);
    EData& word = wide[(lo + i) / 32];
    word = (value >> i) & 1 ? word | mask : word & ~mask;
  }
}

struct Beat {
  bool valid, clear;
  int32_t sum;
};

constexpr int levels = 31 - __builtin_clz(LANES);
constexpr int32_t least = -(1 << (X_BITS - 1));

}  // namespace

int main(int argc, char** argv) {
  state = argc > 1 ? strtoull(argv[1], nullptr, 0) : 1;
  long clocks = argc > 2 ? atol(argv[2]) : 100000;
  VerilatedContext context;
  Vdut dut{&context};
  // Products and every level of the tree are a register each; the accumulator comes on top.
  std::deque<Beat> pipe(levels + 1, Beat{false, false, 0});
  int32_t acc = 0;
  bool acc_valid = false;
  long sums = 0;

  for (long clock = 0; clock < clocks; clock++) {
    bool rst = clock < 2 || random64() % 4096 == 0;
    Beat beat{random64() % 4 != 0, random64() % 8 == 0, 0};
    // Now and then a beat of corners: every lane at its least, all weights alike.
    bool corner = random64() % 64 == 0;
    uint32_t alike = random64() % 4;
    for (int lane = 0; lane < LANES; lane++) {
      uint64_t r = random64();
      int32_t x = corner ? least : static_cast<int32_t>(r % (2u << (X_BITS - 1))) + least;
      uint32_t w = corner ? alike : (r >> 32) % 4;
      put(dut.x, lane * X_BITS, X_BITS, static_cast<uint32_t>(x));
      put(dut.w, lane * 2, 2, w);
      beat.sum += w & 1 ? (w & 2 ? -x : x) : 0;
    }
    dut.rst = rst;
    dut.valid = beat.valid;
    dut.clear = beat.clear;
    dut.clk = 0;
    dut.eval();
    dut.clk = 1;
    dut.eval();

    Beat last = pipe.back();
    pipe.pop_back();
    pipe.push_front(beat);
    if (rst) {
      for (Beat& b : pipe) b.valid = false;
      acc = 0;
    } else if (last.valid) {
      acc = static_cast<int32_t>((last.clear ? 0u : static_cast<uint32_t>(acc)) +
                                 static_cast<uint32_t>(last.sum));
      sums++;
    }
    acc_valid = last.valid && !rst;
    if (static_cast<int32_t>(dut.acc) != acc || dut.acc_valid != acc_valid) {
      printf("clock %ld: acc %d valid %d, golden %d %d\n", clock, static_cast<int32_t>(dut.acc),
             dut.acc_valid, acc, acc_valid);
      return 1;
    }
  }
  printf("%ld sums in %ld clocks equal\n", sums, clocks);
  return 0;
}
