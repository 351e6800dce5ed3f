use sterna_rtl::parts::{ReadMaster, Unpack, WriteMaster};
use sterna_rtl::{AxiKind, AxiWidths, Bits, Generate, Module, Sig, UInt, index_width};

use super::BUS;
use super::protocol::{Hello, Operation, PAYLOAD, PING, Status, UNIT, VERSION};
use super::requests::{LENGTH, WORDS};
use crate::core::{ADDRESS, memory_widths};
use crate::registers::ADDRESS_BITS;

/// What a request asks for, done, and what is answered.
///
/// ```text
///  request -> legal? -> ping, register -> [ data ] --------------+
///                    -> memory read ---> [ ReadMaster, Unpack ] -+-> s, o, bytes, status -> reply
///                    -> memory write --> words of the payload -> [ WriteMaster ]
/// ```
///
/// One request at a time: it is obeyed, then its reply leaves, then the next one is looked at. A
/// register that is written by the request that has just been answered is not written again: the
/// host repeats a request when a reply was lost, and START must not start twice.
///
/// Memory is read into the FIFO of the [`ReadMaster`] whole, whatever the line does, so a slow line
/// never holds the memory's bus. Trusts that registers and memory answer. Cost the two masters, and
/// about 350 registers and 400 LUTs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commands {
    /// Bytes of memory, as a ping tells.
    pub memory: u64,
}

/// Bits of a job's length in beats.
const JOB: u32 = 8;

// States.
const IDLE: u32 = 0;
const REGISTER: u32 = 1;
const WRITE: u32 = 2;
const HEAD: u32 = 3;
const DATA: u32 = 4;
const STREAM: u32 = 5;
const STATUS: u32 = 6;

impl Commands {
    /// Widths of the memory's bus.
    pub(super) fn widths() -> AxiWidths {
        memory_widths(BUS)
    }

    /// Widths of the registers' bus.
    pub(super) fn lite() -> AxiWidths {
        AxiWidths { addr: ADDRESS_BITS, data: 32, id: 1 }
    }
}

/// What is asked for, as truth values, a clock after the request is there.
struct Asked<'m> {
    ping: Sig<'m>,
    read_register: Sig<'m>,
    write_register: Sig<'m>,
    read_memory: Sig<'m>,
    write_memory: Sig<'m>,
}

impl<'m> Asked<'m> {
    fn of(operation: Sig<'m>, length: Sig<'m>, address: Sig<'m>, size: Sig<'m>) -> Asked<'m> {
        let is = |wanted: Operation| operation.eq(wanted as u8);
        let empty = size.eq(0);
        let word = length.eq(4) & address.slice(0..2).eq(0);
        let word = word & address.slice(ADDRESS_BITS..ADDRESS).eq(0);
        let bits = UNIT.trailing_zeros();
        let whole = length.ne(0) & length.le(PAYLOAD) & length.slice(0..bits).eq(0);
        let whole = whole & address.slice(0..bits).eq(0);
        let full = size.eq(length);
        Asked {
            ping: (is(Operation::Ping) & empty).register("ping"),
            read_register: (is(Operation::ReadRegister) & word & empty).register("read_register"),
            write_register: (is(Operation::WriteRegister) & word & full).register("write_register"),
            read_memory: (is(Operation::ReadMemory) & whole & empty).register("read_memory"),
            write_memory: (is(Operation::WriteMemory) & whole & full).register("write_memory"),
        }
    }
}

impl Generate for Commands {
    fn name(&self) -> String {
        format!("link_commands_{}", self.memory)
    }

    fn describe(&self, m: &Module) {
        m.doc(format!("Obeys requests; tells of {} bytes of memory.", self.memory));
        let valid = m.input("valid", UInt(1)).comment("A request is there, until `taken`.");
        let sequence = m.input("number", UInt(8));
        let operation = m.input("operation", UInt(8));
        let length = m.input("length", UInt(LENGTH));
        let address = m.input("address", UInt(ADDRESS));
        let size = m.input("size", UInt(LENGTH)).comment("Bytes of the payload.");
        let word = m.input("word", UInt(BUS)).comment("That at `at`, three clocks later.");
        let lite = m.axi_master("m_lite", AxiKind::Lite, Commands::lite());
        let axi = m.axi_master("m_axi", AxiKind::Full, Commands::widths());
        let reply = m.stream_out("reply", UInt(8), true);

        let state = m.reg("state", UInt(3)).reset(IDLE);
        let is = |value: u32| state.eq(value);
        let status = m.reg("status", UInt(8));
        let asked = Asked::of(operation, length, address, size);
        // The request is there three clocks before it is obeyed, and word 0 with it.
        let age = m.reg("age", UInt(3)).reset(0);
        let old = age.eq(5).named("old_enough");
        m.when(!valid, || age.set(0)).elsewhen(!old, || age.set(age.wrapping_add(1)));
        let begins = (is(IDLE) & valid & old).named("begins");

        // ----- what was done last -----
        let last_was = m.reg("last_was", UInt(1)).reset(0).comment("It wrote a register.");
        let last = m.reg("last_sequence", UInt(8));
        let last_status = m.reg("last_status", UInt(8));
        let again = (asked.write_register & last_was & last.eq(sequence)).named("again");

        // ----- bytes of an answer that is not a stream -----
        let hello = Hello { version: VERSION, payload: PAYLOAD as u16, memory: self.memory };
        let limbs = hello.encode();
        let limbs: Vec<u64> = limbs
            .chunks(8)
            .map(|eight| eight.iter().rev().fold(0, |limb, &byte| limb << 8 | u64::from(byte)))
            .collect();
        let bits = 8 * PING as u32;
        let data = m.reg("data", UInt(bits));
        let left = m.reg("left", UInt(LENGTH)).comment("Bytes that the reply still has to give.");

        let jobs = (begins & asked.read_memory).named("starts_read");
        let stores = (begins & asked.write_memory).named("starts_write");
        m.when(begins, || {
            status.set(Status::Done as u8);
            state.set(HEAD);
            left.set(0);
            last_was.set(asked.write_register);
            last.set(sequence);
            m.when(asked.ping, || {
                data.set(Bits::from_limbs(bits, &limbs));
                left.set(PING);
            })
            .elsewhen(again, || status.set(last_status))
            .elsewhen(asked.read_register | asked.write_register, || state.set(REGISTER))
            .elsewhen(asked.read_memory, || left.set(length))
            .elsewhen(asked.write_memory, || state.set(WRITE))
            .otherwise(|| status.set(Status::Refused as u8));
        });

        // ----- registers -----
        let go = (begins & !again).named("accesses");
        let ar = m.reg("ar_offered", UInt(1)).reset(0);
        let aw = m.reg("aw_offered", UInt(1)).reset(0);
        let w = m.reg("w_offered", UInt(1)).reset(0);
        for (offered, ready) in [(ar, "arready"), (aw, "awready"), (w, "wready")] {
            m.when(lite.get(ready), || offered.set(0));
        }
        m.when(go & asked.read_register, || ar.set(1));
        m.when(go & asked.write_register, || {
            aw.set(1);
            w.set(1);
        });
        for channel in ["ar", "aw"] {
            lite.get(&format!("{channel}addr")).set(address.truncate(ADDRESS_BITS));
            lite.get(&format!("{channel}prot")).set(0);
        }
        lite.get("arvalid").set(ar);
        lite.get("awvalid").set(aw);
        lite.get("wvalid").set(w);
        lite.get("wdata").set(word.truncate(32));
        lite.get("wstrb").set(15);
        let waits = is(REGISTER).named("waits_for_register");
        lite.get("rready").set(waits);
        lite.get("bready").set(waits);
        let refused = Status::Register as u8;
        m.when(waits & lite.get("rvalid"), || {
            data.set(lite.get("rdata").extend(bits));
            left.set(4);
            state.set(HEAD);
            m.when(lite.get("rresp").any(), || status.set(refused));
        });
        m.when(waits & lite.get("bvalid"), || {
            state.set(HEAD);
            let answer = lite.get("bresp").any().mux(m.lit(UInt(8), refused), Status::Done as u8);
            status.set(answer);
            last_status.set(answer);
        });

        // ----- memory -----
        let widths = Commands::widths();
        let beats = length.slice(3..3 + JOB).named("beats");
        let reader = ReadMaster { widths, length: JOB, depth: 256, number: 0 };
        let reader = m.instance("u_reader", &reader);
        let writer = m.instance("u_writer", &WriteMaster { widths, length: JOB });
        for (unit, start) in [(reader, jobs), (writer, stores)] {
            unit.set("start", start).set("addr", address).set("beats", beats).set("halt", 0);
        }
        reader.set("owed", 0).set("ring", 0);
        axi.connect(&reader.axi("m_axi", AxiKind::Read, widths));
        axi.connect(&writer.axi("m_axi", AxiKind::Write, widths));

        let unpack = m.instance("u_unpack", &Unpack { from: BUS, to: 8 });
        unpack.stream("s").connect(reader.stream("m"));
        let bytes = unpack.stream("m");

        // A word of the payload at a time, through the latency of its memory.
        let at = m.reg("at_word", UInt(index_width(WORDS)));
        let to_give = m.reg("to_give", UInt(JOB)).reset(0);
        let wait = m.reg("delay", UInt(3)).reset(0);
        let words = writer.stream("s");
        let gives = (to_give.ne(0) & wait.eq(0)).named("gives");
        words.valid.set(gives);
        words.data.set(word);
        m.when(wait.ne(0), || wait.set(wait.wrapping_sub(1)));
        m.when(!valid, || at.set(0));
        m.when(stores, || to_give.set(beats));
        m.when(words.fires(), || {
            at.set(at.wrapping_add(1));
            to_give.set(to_give.wrapping_sub(1));
            wait.set(4);
        });
        let started = m.reg("started", UInt(1)).reset(0).comment("The writer says what it does.");
        started.set(is(WRITE));
        let broken = m.lit(UInt(8), Status::Memory as u8);
        m.when(is(WRITE) & started & !writer.port("busy"), || {
            state.set(HEAD);
            m.when(writer.port("error"), || status.set(broken));
        });

        // ----- the reply -----
        let second = m.reg("second", UInt(1)).reset(0).comment("The operation, not the sequence.");
        let streams = is(STREAM).named("streams");
        let (head, plain, closing) = (is(HEAD), is(DATA), is(STATUS));
        reply.valid.set(head | plain | closing | (streams & bytes.valid));
        let failed = asked.read_memory & reader.port("error");
        let end = failed.mux(broken, status).named("end_status");
        let byte = closing.mux(end, plain.mux(data.truncate(8), bytes.data));
        let byte = head.mux(second.mux(operation, sequence), byte);
        reply.data.set(byte);
        if let Some(last) = reply.last {
            last.set(closing);
        }
        let moves = reply.fires().named("moves");
        bytes.ready.set(streams & reply.ready);
        let rest = left.eq(0).named("nothing_left");
        m.when(moves & head, || {
            second.set(!second);
            m.when(second, || {
                state.set(asked.read_memory.mux(m.lit(UInt(3), STREAM), DATA));
                m.when(rest, || state.set(STATUS));
            });
        });
        m.when(moves & (plain | streams), || {
            left.set(left.wrapping_sub(1));
            data.set(data >> 8);
            m.when(left.eq(1), || state.set(STATUS));
        });
        m.when(moves & closing, || state.set(IDLE));
        m.output("at", at.ty()).set(at);
        m.output("taken", UInt(1)).set(moves & closing);
    }
}
