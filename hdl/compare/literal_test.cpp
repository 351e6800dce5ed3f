// Prints `a`, `below` and `below_named` for every value of the signed byte `a`.
#include <cstdint>
#include <cstdio>

#include "Vdut.h"

int main() {
  Vdut dut;
  for (int a = -128; a < 128; a++) {
    dut.a = static_cast<uint8_t>(a);
    dut.eval();
    printf("%d %d %d\n", a, dut.below, dut.below_named);
  }
}
