//! The shared object behind safe functions: all `unsafe` of the crate is here.
//!
//! What it relies on: the shared object was compiled from `cpp/shim.cpp` and the `ports.h` of the
//! same list of ports (both are in the hash that names it), and nobody writes into the cache.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;
use std::ptr::NonNull;
use std::sync::Arc;

/// The shim's functions, with the library that holds their code.
pub(crate) struct Library {
    new: unsafe extern "C" fn() -> *mut c_void,
    delete: unsafe extern "C" fn(*mut c_void),
    port: unsafe extern "C" fn(*mut c_void, u32) -> *mut c_void,
    eval: unsafe extern "C" fn(*mut c_void) -> c_int,
    step: unsafe extern "C" fn(*mut c_void, u64) -> c_int,
    clocks: unsafe extern "C" fn(*const c_void) -> u64,
    error: unsafe extern "C" fn(*const c_void) -> *const c_char,
    coverage: unsafe extern "C" fn(*mut c_void, *const c_char) -> c_int,
    trace_open: unsafe extern "C" fn(*mut c_void, *const c_char) -> c_int,
    trace_close: unsafe extern "C" fn(*mut c_void) -> c_int,
    /// Unloaded last: fields are dropped in this order.
    _code: libloading::Library,
}

impl Library {
    /// Loads a model's shared object.
    pub fn load(path: &Path) -> Result<Library, libloading::Error> {
        // SAFETY: loading runs the constructors of Verilator's run time, which only initialise its
        // own tables; the functions have the types that `shim.cpp` declares, and the pointers
        // taken from the symbols live no longer than `_code`, which is in the same struct.
        unsafe {
            let code = libloading::Library::new(path)?;
            Ok(Library {
                new: *code.get(b"sterna_new")?,
                delete: *code.get(b"sterna_delete")?,
                port: *code.get(b"sterna_port")?,
                eval: *code.get(b"sterna_eval")?,
                step: *code.get(b"sterna_step")?,
                clocks: *code.get(b"sterna_clocks")?,
                error: *code.get(b"sterna_error")?,
                coverage: *code.get(b"sterna_coverage")?,
                trace_open: *code.get(b"sterna_trace_open")?,
                trace_close: *code.get(b"sterna_trace_close")?,
                _code: code,
            })
        }
    }
}

/// Where the model keeps a port, and its width in bits.
///
/// Verilator's layout: 1, 2, 4 or 8 bytes up to 8, 16, 32 or 64 bits, else words of 32 bits, least
/// significant first. Bits above the width are zero, and must be when they are written.
#[derive(Clone, Copy)]
struct Slot {
    at: NonNull<u8>,
    width: u32,
}

/// A model with a state of its own.
pub(crate) struct Instance {
    raw: NonNull<c_void>,
    slots: Vec<Slot>,
    library: Arc<Library>,
}

// SAFETY: a model has a `VerilatedContext` of its own and shares nothing with other models, no
// thread is bound to it, and `&mut self` on all that runs C++ keeps it to one thread at a time. It
// is not `Sync`, because nothing needs that.
unsafe impl Send for Instance {}

impl Instance {
    /// A model whose ports have these widths; `None` where the memory does not suffice.
    pub fn new(library: &Arc<Library>, widths: impl Iterator<Item = u32>) -> Option<Instance> {
        // SAFETY: `sterna_new` takes nothing and gives a model that is deleted in `drop` only.
        let raw = NonNull::new(unsafe { (library.new)() })?;
        let mut instance = Instance { raw, slots: vec![], library: library.clone() };
        for (number, width) in widths.enumerate() {
            // SAFETY: the model lives; the result is the address of a member of it, which stays
            // where it is as long as the model does, or null for a number that it does not know.
            let at = unsafe { (library.port)(raw.as_ptr(), number as u32) };
            instance.slots.push(Slot { at: NonNull::new(at.cast())?, width });
        }
        Some(instance)
    }

    /// The low 64 bits of a port.
    #[inline]
    pub fn read(&self, port: usize) -> u64 {
        let Slot { at, width } = self.slots[port];
        // SAFETY: the slot points at an aligned integer of this size inside the model, see `Slot`,
        // and no C++ runs meanwhile.
        unsafe {
            match width {
                0..=8 => at.read().into(),
                9..=16 => at.cast::<u16>().read().into(),
                17..=32 => at.cast::<u32>().read().into(),
                33..=64 => at.cast::<u64>().read(),
                _ => {
                    let words = at.cast::<u32>();
                    u64::from(words.read()) | u64::from(words.add(1).read()) << 32
                }
            }
        }
    }

    /// Sets a port of up to 64 bits to a value that fits it.
    #[inline]
    pub fn write(&mut self, port: usize, value: u64) {
        let Slot { at, width } = self.slots[port];
        debug_assert!(width <= 64 && (width == 64 || value >> width == 0));
        // SAFETY: as in `read`; `&mut self` excludes every other access.
        unsafe {
            match width {
                0..=8 => at.write(value as u8),
                9..=16 => at.cast::<u16>().write(value as u16),
                17..=32 => at.cast::<u32>().write(value as u32),
                33..=64 => at.cast::<u64>().write(value),
                _ => self.write_words(port, &[value as u32, (value >> 32) as u32]),
            }
        }
    }

    /// Copies a port's words of 32 bits, as many as both have.
    #[inline]
    pub fn read_words(&self, port: usize, words: &mut [u32]) {
        let Slot { at, width } = self.slots[port];
        if width <= 64 {
            let value = self.read(port);
            let halves = [value as u32, (value >> 32) as u32];
            words.iter_mut().zip(halves).for_each(|(to, from)| *to = from);
            return;
        }
        let count = words.len().min(width.div_ceil(32) as usize);
        // SAFETY: the slot points at `ceil(width / 32)` aligned words inside the model, and the
        // model is not the caller's slice.
        unsafe { at.cast::<u32>().as_ptr().copy_to_nonoverlapping(words.as_mut_ptr(), count) }
    }

    /// Sets a port's words of 32 bits, as many as both have; the value must fit the port.
    #[inline]
    pub fn write_words(&mut self, port: usize, words: &[u32]) {
        let Slot { at, width } = self.slots[port];
        if width <= 64 {
            let word = |i: usize| u64::from(words.get(i).copied().unwrap_or(0));
            return self.write(port, word(0) | word(1) << 32);
        }
        let count = words.len().min(width.div_ceil(32) as usize);
        // SAFETY: as in `read_words`; `&mut self` excludes every other access.
        unsafe { at.cast::<u32>().as_ptr().copy_from_nonoverlapping(words.as_ptr(), count) }
    }

    /// Lets the inputs take effect.
    pub fn eval(&mut self) -> Result<(), String> {
        // SAFETY: the model lives, and `&mut self` keeps everyone else away from it. The same
        // holds of the calls below.
        let failed = unsafe { (self.library.eval)(self.raw.as_ptr()) };
        self.result(failed)
    }

    /// So many clocks.
    pub fn step(&mut self, clocks: u64) -> Result<(), String> {
        // SAFETY: as in `eval`.
        let failed = unsafe { (self.library.step)(self.raw.as_ptr(), clocks) };
        self.result(failed)
    }

    /// Clocks so far.
    pub fn clocks(&self) -> u64 {
        // SAFETY: the model lives; the function only reads it.
        unsafe { (self.library.clocks)(self.raw.as_ptr()) }
    }

    /// Writes what was covered to a file.
    pub fn coverage(&mut self, path: &CString) -> Result<(), String> {
        // SAFETY: as in `eval`; the path ends in a zero byte and is not kept.
        let failed = unsafe { (self.library.coverage)(self.raw.as_ptr(), path.as_ptr()) };
        self.result(failed)
    }

    /// Begins a waveform; the path must be writable, because Verilator does not say if it is not.
    pub fn trace_open(&mut self, path: &CString) -> Result<(), String> {
        // SAFETY: as in `eval`; the path ends in a zero byte and is not kept.
        let failed = unsafe { (self.library.trace_open)(self.raw.as_ptr(), path.as_ptr()) };
        self.result(failed)
    }

    /// Ends the waveform, if there is one.
    pub fn trace_close(&mut self) -> Result<(), String> {
        // SAFETY: as in `eval`.
        let failed = unsafe { (self.library.trace_close)(self.raw.as_ptr()) };
        self.result(failed)
    }

    fn result(&self, failed: c_int) -> Result<(), String> {
        if failed == 0 {
            return Ok(());
        }
        // SAFETY: the model lives; the text ends in a zero byte and is copied before the model can
        // change it.
        let text = unsafe { CStr::from_ptr((self.library.error)(self.raw.as_ptr())) };
        Err(text.to_string_lossy().into_owned())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: the model came from `sterna_new`, nobody else deletes it, and the library is
        // unloaded only after this, with the last `Arc`.
        unsafe { (self.library.delete)(self.raw.as_ptr()) }
    }
}
