// The model behind a few C functions. `ports.h` is generated: Verilator's members by number.
#include "Vdut.h"
#include "verilated.h"
#if VM_COVERAGE
#include "verilated_cov.h"
#endif
#if VM_TRACE_FST
#include "verilated_fst_c.h"
using Recorder = VerilatedFstC;
#elif VM_TRACE_SAIF
#include "verilated_saif_c.h"
using Recorder = VerilatedSaifC;
#endif

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

// Verilator's defaults end the process; the test that drives the model has to hear of it instead.
[[noreturn]] static void halt(const std::string& what, const char* file, int line) {
    throw std::runtime_error(what + " at " + (file ? file : "?") + ":" + std::to_string(line));
}
void vl_finish(const char* file, int line, const char*) VL_MT_UNSAFE { halt("$finish", file, line); }
void vl_stop(const char* file, int line, const char*) VL_MT_UNSAFE { halt("$stop", file, line); }
void vl_fatal(const char* file, int line, const char*, const char* message) VL_MT_UNSAFE {
    halt(message ? message : "fatal error", file, line);
}

namespace {

// One clock in a waveform: the inputs settle at 0, the clock rises at 5. Activity is of settled
// values only, one sample a clock: what a net does between is for its delays to say, which are not
// known here.
constexpr uint64_t PERIOD_NS = 10;

struct Instance {
    VerilatedContext context;
    std::unique_ptr<Vdut> model;
#if VM_TRACE
    std::unique_ptr<Recorder> trace;
#endif
    uint64_t clocks = 0;
    // The clock that is 0 in the recording: a SAIF file knows no time before its first sample.
    uint64_t origin = 0;
    std::string error;

    Instance() {
#if VM_TRACE
        context.traceEverOn(true);
#endif
        context.fatalOnError(true);
        model = std::make_unique<Vdut>(&context, "");
        // The clock has to be seen low before its first rise.
        model->eval();
    }

    void dump(uint64_t ns) {
#if VM_TRACE
        if (trace) trace->dump((clocks - origin) * PERIOD_NS + ns);
#else
        (void)ns;
#endif
    }

    bool tracing() const {
#if VM_TRACE
        return trace != nullptr;
#else
        return false;
#endif
    }

    void step() {
        if (tracing()) {
            // Only waveforms need the moment between the inputs and the edge.
            model->eval();
            dump(0);
        }
#ifdef CLOCK
        model->CLOCK = 1;
        model->eval();
#if VM_TRACE_FST
        dump(PERIOD_NS / 2);
#endif
        model->CLOCK = 0;
#endif
        model->eval();
        ++clocks;
    }
};

// No exception leaves the C functions.
template <typename F> int guarded(Instance* self, F f) {
    try {
        f();
        return 0;
    } catch (const std::exception& e) {
        self->error = e.what();
    } catch (...) {
        self->error = "an unknown C++ exception";
    }
    return 1;
}

}  // namespace

// Everything else stays hidden, see `exports.map`.
#pragma GCC visibility push(default)
extern "C" {

void* sterna_new() {
    try {
        return new Instance;
    } catch (...) {
        return nullptr;
    }
}

void sterna_delete(Instance* self) { delete self; }

void* sterna_port(Instance* self, uint32_t number) {
    Vdut* const m = self->model.get();
    switch (number) {
#include "ports.h"
    default: return nullptr;
    }
}

int sterna_eval(Instance* self) {
    return guarded(self, [&] { self->model->eval(); });
}

int sterna_step(Instance* self, uint64_t clocks) {
    return guarded(self, [&] {
        for (uint64_t i = 0; i < clocks; ++i) self->step();
    });
}

uint64_t sterna_clocks(const Instance* self) { return self->clocks; }

const char* sterna_error(const Instance* self) { return self->error.c_str(); }

int sterna_coverage(Instance* self, const char* path) {
#if VM_COVERAGE
    return guarded(self, [&] { self->context.coveragep()->write(path); });
#else
    (void)self, (void)path;
    return 1;
#endif
}

int sterna_trace_open(Instance* self, const char* path) {
#if VM_TRACE
    return guarded(self, [&] {
        auto trace = std::make_unique<Recorder>();
        self->model->trace(trace.get(), 99);
        trace->open(path);
#if VM_TRACE_SAIF
        self->origin = self->clocks;
#endif
        self->trace = std::move(trace);
    });
#else
    (void)self, (void)path;
    return 1;
#endif
}

int sterna_trace_close(Instance* self) {
#if VM_TRACE
    return guarded(self, [&] {
        if (!self->trace) return;
        self->model->eval();
        self->dump(0);
        self->trace->close();
        self->trace.reset();
    });
#else
    (void)self;
    return 1;
#endif
}
}
#pragma GCC visibility pop
