use super::short;
use crate::{Generate, Module, Type, UInt};

/// A register slice for a stream: full throughput, and neither `valid` nor `ready` passes through
/// without a register.
///
/// ```text
///            +---------+
///  s_data -+-|  spare  |-+-> mux -> [ data ] -> m_data
///          +-------------+
///  s_ready <- !full            full: a beat arrived while the sink was not ready
/// ```
///
/// ```text
///  clk      _/1\_/2\_/3\_/4\_/5\
///  s_data   A   B   C   C   D       s_ready falls one clock after m_ready,
///  s_ready  1   1   0   0   1       so B waits in `spare` meanwhile
///  m_data   -   A   A   A   B
///  m_ready  1   0   0   1   1
/// ```
///
/// Latency one clock; cost two registers of the beat's width and a mux, no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkidBuffer {
    /// Type of a beat.
    pub ty: Type,
    /// Whether the stream has packets.
    pub last: bool,
}

impl Generate for SkidBuffer {
    fn name(&self) -> String {
        format!("skid_buffer_{}{}", short(self.ty), if self.last { "_last" } else { "" })
    }

    fn describe(&self, m: &Module) {
        m.doc("Register slice: cuts valid, ready and data of a stream at full throughput.\nLatency 1.");
        let source = m.stream_in("s", self.ty, self.last);
        let sink = m.stream_out("m", self.ty, self.last);
        let valid = m.reg("valid", UInt(1)).reset(0);
        let data = m.reg("data", self.ty);
        let full = m.reg("full", UInt(1)).reset(0).comment("A beat waits in `spare`.");
        let spare = m.reg("spare", self.ty);

        let free = (sink.ready | !valid).named("free");
        source.ready.set(!full);
        m.when(free, || {
            valid.set(full | source.valid);
            data.set(full.mux(spare, source.data));
            full.set(0);
        })
        .elsewhen(source.fires(), || full.set(1));
        m.when(!full, || spare.set(source.data));
        sink.valid.set(valid);
        sink.data.set(data);

        if let (Some(last), Some(out)) = (source.last, sink.last) {
            let (kept, spare) = (m.reg("last", UInt(1)), m.reg("spare_last", UInt(1)));
            m.when(free, || kept.set(full.mux(spare, last)));
            m.when(!full, || spare.set(last));
            out.set(kept);
        }
        m.assert("full_only_while_valid", !full | valid);
        m.cover("full", full);
    }
}
