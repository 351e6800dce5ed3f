// What Verilator's waveform writer uses of LZ4, so that no system package is needed. The result is
// a valid LZ4 block that any reader takes, but of literals only: stored, not compressed.
#pragma once
#include <cstring>

inline int LZ4_compressBound(int size) { return size + size / 255 + 16; }

inline int LZ4_compress_default(const char* from, char* to, int size, int room) {
    if (room < LZ4_compressBound(size)) return 0;
    char* out = to;
    *out++ = static_cast<char>((size < 15 ? size : 15) << 4);
    if (size >= 15) {
        int rest = size - 15;
        for (; rest >= 255; rest -= 255) *out++ = static_cast<char>(255);
        *out++ = static_cast<char>(rest);
    }
    std::memcpy(out, from, static_cast<size_t>(size));
    return static_cast<int>(out - to) + size;
}
