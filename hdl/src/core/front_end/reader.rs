//! What comes in, and where in the image that is.

use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::Opcode;
use sterna_rtl::parts::Crc32c;
use sterna_rtl::{Instance, Module, Sig, Stream, UInt};

use super::State;
use crate::core::HeaderCheck;
use crate::core::instruction::{Instruction, OPCODE, is};

/// What a pass is about, the image, and who has taken what.
pub(super) struct Inputs<'m> {
    /// A pass starts.
    pub begins: Sig<'m>,
    /// It ends before the head.
    pub no_head: Sig<'m>,
    /// Sizes, in units of 64 bytes, which headers are held to.
    pub image_units: Sig<'m>,
    pub row_units: Sig<'m>,
    pub stream: Stream<'m>,
    /// In the next clock the vector's next codes are there.
    pub code_there: Sig<'m>,
    /// The epilogue took a row group.
    pub group_taken: Sig<'m>,
    /// The instruction that is handed on, to `issue`.
    pub issue: Instruction<'m>,
}

impl<'m> Inputs<'m> {
    pub fn new(m: &'m Module, bus: u32) -> Inputs<'m> {
        Inputs {
            begins: m.input("begins", UInt(1)).comment("A pass starts."),
            no_head: m.input("no_head", UInt(1)).comment("It ends before the head."),
            image_units: m.input("image_units", UInt(32)),
            row_units: m.input("row_units", UInt(10)),
            stream: m.stream_in("s", UInt(bus), false),
            code_there: m
                .input("code_there", UInt(1))
                .comment("In the next clock the vector's next codes are."),
            group_taken: m.input("group_taken", UInt(1)).comment("The epilogue took a group."),
            issue: Instruction::output(m, "issue"),
        }
    }
}

/// What is being read, and the beats of it.
pub(super) struct Reader<'m> {
    pub state: Sig<'m>,
    /// A beat is taken if there is one.
    pub want: Sig<'m>,
    /// The segment: its number, the instruction that it has to be, and of which layer.
    pub segment: Sig<'m>,
    pub expected: Sig<'m>,
    pub layer: Sig<'m>,
    /// A beat is taken; a clock later it is here.
    pub fires: Sig<'m>,
    pub data: Sig<'m>,
}

impl<'m> Reader<'m> {
    pub fn new(m: &'m Module, inputs: &Inputs<'m>) -> Reader<'m> {
        let state = m.reg("state", UInt(3)).reset(0);
        let want = m.reg("wants", UInt(1)).reset(0).comment("A beat is taken if there is one.");
        inputs.stream.ready.set(want);
        Reader {
            state,
            want,
            segment: m.reg("segment_now", UInt(32)).reset(0).comment("Number of the segment."),
            expected: m.reg("expected", UInt(OPCODE)).reset(Opcode::Start as u8),
            layer: m.reg("layer", UInt(10)).reset(0),
            fires: inputs.stream.fires().named("fires"),
            data: inputs.stream.data.register("data_now"),
        }
    }

    pub fn at(&self, state: State) -> Sig<'m> {
        self.state.bit(state as u32)
    }
}

/// The present segment's header, and the checksum of what is read.
pub(super) struct Header<'m> {
    check: Instance<'m>,
    pub crc: Instance<'m>,
    /// It is what it has to be.
    pub accept: Sig<'m>,
    /// It is START's.
    pub starting: Sig<'m>,
    pub last_layer: Sig<'m>,
}

impl<'m> Header<'m> {
    pub fn new(
        m: &'m Module,
        geometry: &Geometry,
        inputs: &Inputs<'m>,
        reader: &Reader<'m>,
    ) -> Header<'m> {
        let &Inputs { no_head, image_units, row_units, .. } = inputs;
        let &Reader { expected, layer, segment, data, fires, .. } = reader;
        let check = m.instance("u_header", &HeaderCheck { geometry: geometry.clone() });
        let crc = m.instance("u_crc", &Crc32c { width: geometry.bus });
        let header_fires = (reader.at(State::Header) & fires).named("header_fires");
        check.set("take", header_fires.delay_valid("header_now", 1)).set("data", data);
        check.set("crc", crc.port("crc"));
        check.set("expected", expected).set("layer", layer).set("segment", segment);
        check.set("no_head", no_head).set("image_units", image_units).set("row_units", row_units);
        Header {
            check,
            crc,
            accept: check.port("accept"),
            // What is expected has been known since the segment before.
            starting: is(expected, Opcode::Start).register("starting").reset(1),
            last_layer: check.port("last_layer"),
        }
    }

    /// One of its fields, or what is wrong with it.
    pub fn field(&self, name: &str) -> Sig<'m> {
        self.check.port(name)
    }
}
