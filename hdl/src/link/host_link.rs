use sterna_rtl::parts::{Fifo, SkidBuffer, Storage};
use sterna_rtl::{AxiKind, Generate, Module, UInt};

use super::protocol::BACKLOG;
use super::{Commands, Replies, Requests, UartRx, UartTx, check_rate};

/// The board's side of the link: bytes in, accesses, bytes out.
///
/// ```text
///  rx -> [ UartRx ] -> [ FIFO ] -> [ Requests ] -> [ Commands ] -> m_lite  registers
///                                                     |    ^-----> m_axi   memory
///  tx <- [ UartTx ] <- [ Replies ] <- [ register slice ] <-+
/// ```
///
/// The FIFO holds what comes while a request is obeyed, so that a host may send the next one before
/// it has the reply. Where even that is too much, the frame is lost, and its sender repeats it.
///
/// Cost, synthesised for ECP5 at 60 MHz: 1,073 LUT4, 1,266 registers, 7 block RAMs of 18 kbit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostLink {
    /// Clocks a second.
    pub hertz: u32,
    /// Bits a second.
    pub baud: u32,
    /// Bytes of memory, as the link tells the host.
    pub memory: u64,
}

impl Generate for HostLink {
    fn name(&self) -> String {
        format!("host_link_{}_{}", self.hertz, self.baud)
    }

    fn describe(&self, m: &Module) {
        if !check_rate(m, self.hertz, self.baud) {
            return;
        }
        m.doc(format!("Registers and memory over a serial line of {} baud.", self.baud));
        let rx = m.input("rx", UInt(1));
        let lite = m.axi_master("m_lite", AxiKind::Lite, Commands::lite());
        let axi = m.axi_master("m_axi", AxiKind::Full, Commands::widths());
        let (hertz, baud) = (self.hertz, self.baud);

        let receiver = m.instance("u_rx", &UartRx { hertz, baud });
        receiver.set("rx", rx);
        let backlog = Fifo { ty: UInt(9), depth: BACKLOG, last: false, storage: Storage::Block };
        let backlog = m.instance("u_backlog", &backlog);
        let arriving = backlog.stream("s");
        let lost = m.reg("lost", UInt(1)).reset(0).comment("A byte had no place.");
        let (valid, bad) = (receiver.port("valid"), receiver.port("bad"));
        let comes = (valid | bad).named("comes");
        arriving.valid.set(comes);
        // What follows a gap is marked, so that the frame with the gap is dropped.
        arriving.data.set((bad | lost).cat(receiver.port("data")));
        m.when(comes, || lost.set(!arriving.ready));

        let requests = m.instance("u_requests", &Requests);
        requests.stream("s").connect(backlog.stream("m"));
        let commands = m.instance("u_commands", &Commands { memory: self.memory });
        for name in ["valid", "number", "operation", "length", "address", "size"] {
            commands.set(name, requests.port(name));
        }
        commands.set("word", requests.port("word_out"));
        requests.set("at", commands.port("at"));
        requests.set("taken", commands.port("taken"));
        lite.connect(&commands.axi("m_lite", AxiKind::Lite, Commands::lite()));
        axi.connect(&commands.axi("m_axi", AxiKind::Full, Commands::widths()));

        // Cuts the way from what was asked through the bytes of the answer to who may send them.
        let slice = m.instance("u_slice", &SkidBuffer { ty: UInt(8), last: true });
        slice.stream("s").connect(commands.stream("reply"));
        let replies = m.instance("u_replies", &Replies);
        replies.stream("s").connect(slice.stream("m"));
        let sender = m.instance("u_tx", &UartTx { hertz, baud });
        sender.stream("s").connect(replies.stream("m"));
        m.output("tx", UInt(1)).set(sender.port("tx"));
    }
}
