//! Simulators: running designs.

use std::ffi::CString;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use sterna_rtl::{Bits, Design, Direction, Type};

use crate::error::SimError;
use crate::ffi::Instance;
use crate::model::{Model, Options, Port, Trace};
use crate::port::{Carrier, Handle, Input, Number, Output, Words};

/// A running design.
///
/// Values that are read are always settled: after an input was set, the next read, like
/// [`Simulator::eval`], first lets it take effect. May be sent to another thread, not shared.
pub struct Simulator {
    model: Model,
    instance: Instance,
    stale: bool,
    stopped: Option<String>,
}

impl Drop for Simulator {
    fn drop(&mut self) {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let Some(prefix) = &self.model.0.coverage else { return };
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = format!("{}-{}-{number}.dat", prefix.display(), std::process::id());
        let written = CString::new(path.as_str()).map_err(|e| e.to_string());
        if let Err(why) = written.and_then(|path| self.instance.coverage(&path)) {
            eprintln!("{path}: {why}");
        }
    }
}

impl Simulator {
    pub(crate) fn new(model: Model, instance: Instance) -> Simulator {
        Simulator { model, instance, stale: true, stopped: None }
    }

    /// [`Model::build`] and [`Model::simulator`] in one.
    ///
    /// # Errors
    /// As these two.
    pub fn build(design: &Design, options: &Options) -> Result<Simulator, SimError> {
        Model::build(design, options)?.simulator()
    }

    /// The model that this is a simulator of.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The handle of an input, to be set with numbers of type `T` or as [`Words`].
    ///
    /// # Errors
    /// S007 to S009 where there is no such input or `T` does not suit it, S015 for the clock.
    pub fn input<T: Carrier>(&self, name: &str) -> Result<Input<T>, SimError> {
        self.model.handle(name, Direction::Input).map(Input)
    }

    /// The handle of an output, to be read as numbers of type `T` or as [`Words`].
    ///
    /// # Errors
    /// S007 to S009 where there is no such output or `T` does not suit it.
    pub fn output<T: Carrier>(&self, name: &str) -> Result<Output<T>, SimError> {
        self.model.handle(name, Direction::Output).map(Output)
    }

    /// Sets an input; the number must fit the port.
    ///
    /// # Errors
    /// S010 where it does not; S012 for a handle of another design.
    #[inline]
    pub fn set<T: Number>(&mut self, input: Input<T>, value: T) -> Result<(), SimError> {
        let (index, ty) = self.own(input.0)?;
        let Some(bits) = value.to_bits(ty) else {
            return Err(self.range(index, value.to_string()));
        };
        if ty.width() <= 64 {
            self.instance.write(index, bits as u64);
        } else {
            let words = [0, 32, 64, 96].map(|by| (bits >> by) as u32);
            self.instance.write_words(index, &words);
        }
        self.stale = true;
        Ok(())
    }

    /// The value of an output.
    ///
    /// # Errors
    /// S012 for a handle of another design; S014 if the design stopped.
    #[inline]
    pub fn get<T: Number>(&mut self, output: Output<T>) -> Result<T, SimError> {
        let (index, ty) = self.own(output.0)?;
        self.settle()?;
        let bits = if T::SMALL || ty.width() <= 64 {
            self.instance.read(index).into()
        } else {
            let mut words = [0; 4];
            self.instance.read_words(index, &mut words);
            words.iter().rev().fold(0, |bits, &word| bits << 32 | u128::from(word))
        };
        Ok(T::from_bits(bits, ty))
    }

    /// Sets an input of any width: `ceil(width / 32)` words, least significant first.
    ///
    /// # Errors
    /// S011 where it is another number of words, S010 where bits above the width are set, S012 for
    /// a handle of another design.
    pub fn set_words(&mut self, input: Input<Words>, words: &[u32]) -> Result<(), SimError> {
        let (index, ty) = self.own(input.0)?;
        self.counted(index, words.len())?;
        let spare = words.len() as u32 * 32 - ty.width();
        if spare > 0 && words.last().is_some_and(|top| top.leading_zeros() < spare) {
            let digits: String = words.iter().rev().map(|w| format!("{w:08x}")).collect();
            return Err(self.range(index, format!("0x{digits}")));
        }
        self.instance.write_words(index, words);
        self.stale = true;
        Ok(())
    }

    /// Reads an output of any width into `ceil(width / 32)` words, least significant first.
    ///
    /// # Errors
    /// S011 where it is another number of words, S012 for a handle of another design, S014 if the
    /// design stopped.
    pub fn get_words(&mut self, output: Output<Words>, words: &mut [u32]) -> Result<(), SimError> {
        let (index, _) = self.own(output.0)?;
        self.counted(index, words.len())?;
        self.settle()?;
        self.instance.read_words(index, words);
        Ok(())
    }

    /// Sets an input by name; for hot loops there are handles.
    ///
    /// # Errors
    /// S007, S008, S010, S015.
    pub fn poke(&mut self, name: &str, value: impl sterna_rtl::Number) -> Result<(), SimError> {
        let handle = self.input::<Words>(name)?;
        let ty = self.model.0.ports[handle.0.index].ty;
        let Some(bits) = value.to_bits(ty) else {
            return Err(self.range(handle.0.index, value.to_string()));
        };
        let words = bits.limbs().into_iter().flat_map(|limb| [limb as u32, (limb >> 32) as u32]);
        let words: Vec<u32> = words.take(ty.width().div_ceil(32) as usize).collect();
        self.set_words(handle, &words)
    }

    /// Reads an output by name; for hot loops there are handles.
    ///
    /// # Errors
    /// S007, S008, S014.
    pub fn peek(&mut self, name: &str) -> Result<Bits, SimError> {
        let handle = self.output::<Words>(name)?;
        let width = self.model.0.ports[handle.0.index].ty.width();
        // An even number, so that pairs make limbs of 64 bits.
        let mut words = vec![0; 2 * width.div_ceil(64) as usize];
        self.get_words(handle, &mut words[..width.div_ceil(32) as usize])?;
        let limbs: Vec<u64> =
            words.chunks(2).map(|pair| u64::from(pair[0]) | u64::from(pair[1]) << 32).collect();
        Ok(Bits::from_limbs(width, &limbs))
    }

    /// Lets inputs that were set take effect on outputs that depend on them within a clock.
    ///
    /// # Errors
    /// S014 if the design stopped.
    pub fn eval(&mut self) -> Result<(), SimError> {
        self.run(|instance| instance.eval())
    }

    /// One full clock: inputs that were set before it count at its rising edge. A design without
    /// a clock is only evaluated.
    ///
    /// # Errors
    /// S014 if the design stopped: an assertion failed, or signals do not settle. It stays so.
    #[inline]
    pub fn step(&mut self) -> Result<(), SimError> {
        self.steps(1)
    }

    /// So many clocks with the same inputs.
    ///
    /// # Errors
    /// As [`Simulator::step`].
    #[inline]
    pub fn steps(&mut self, clocks: u64) -> Result<(), SimError> {
        self.run(|instance| instance.step(clocks))
    }

    /// One clock with `rst` high, after which it is low.
    ///
    /// # Errors
    /// As [`Simulator::step`].
    pub fn reset(&mut self) -> Result<(), SimError> {
        let reset = self.model.0.reset;
        if let Some(reset) = reset {
            self.instance.write(reset, 1);
        }
        let result = self.step();
        if let Some(reset) = reset {
            self.instance.write(reset, 0);
            self.stale = true;
        }
        result
    }

    /// Clocks so far.
    pub fn clocks(&self) -> u64 {
        self.instance.clocks()
    }

    /// Begins a recording in a new file: a waveform (FST, unit 1 ns, 10 ns a clock: clock `n`
    /// begins at `10 n` and rises at `10 n + 5`), or the activity (SAIF, one sample a clock, at
    /// `10 n`, when all has settled). One that is being written ends first.
    ///
    /// # Errors
    /// S013 unless the model was built with a [`Trace`], S004 where the file cannot be written.
    pub fn trace_start(&mut self, path: impl AsRef<Path>) -> Result<(), SimError> {
        let path = path.as_ref();
        self.trace_stop()?;
        fs::File::create(path).map_err(SimError::file("write the recording", path))?;
        let name = CString::new(path.as_os_str().as_encoded_bytes())
            .map_err(|e| SimError::file("write the recording", path)(std::io::Error::other(e)))?;
        self.run(|instance| instance.trace_open(&name))
    }

    /// Ends the recording and completes its file, which holds the clocks since
    /// [`Simulator::trace_start`]. Without one, nothing happens.
    ///
    /// # Errors
    /// S013 unless the model was built with a [`Trace`].
    pub fn trace_stop(&mut self) -> Result<(), SimError> {
        if self.model.0.trace == Trace::Off {
            return Err(SimError::NotTraced { top: self.model.0.top.clone() });
        }
        // Of a design that stopped, the waveform is wanted most.
        self.instance.trace_close().map_err(|why| self.stop(why))
    }

    #[inline]
    fn own<T>(&self, handle: Handle<T>) -> Result<(usize, Type), SimError> {
        match self.model.0.ports.get(handle.index) {
            Some(port) if handle.design == self.model.0.id => Ok((handle.index, port.ty)),
            _ => Err(SimError::Foreign { top: self.model.0.top.clone() }),
        }
    }

    #[inline]
    fn settle(&mut self) -> Result<(), SimError> {
        if self.stale { self.eval() } else { Ok(()) }
    }

    #[inline]
    fn run(
        &mut self,
        what: impl FnOnce(&mut Instance) -> Result<(), String>,
    ) -> Result<(), SimError> {
        if self.stopped.is_some() {
            return Err(self.stopped());
        }
        what(&mut self.instance).map_err(|why| self.stop(why))?;
        self.stale = false;
        Ok(())
    }

    #[cold]
    fn stop(&mut self, said: String) -> SimError {
        self.stopped = Some(self.model.cite(said));
        self.stopped()
    }

    #[cold]
    fn stopped(&self) -> SimError {
        let why = self.stopped.clone().unwrap_or_default();
        SimError::Stopped { top: self.model.0.top.clone(), clock: self.clocks(), why }
    }

    #[cold]
    fn range(&self, index: usize, value: String) -> SimError {
        let Port { name, ty, .. } = &self.model.0.ports[index];
        SimError::Range { port: name.clone(), ty: *ty, value }
    }

    fn counted(&self, index: usize, got: usize) -> Result<(), SimError> {
        let Port { name, ty, .. } = &self.model.0.ports[index];
        let words = ty.width().div_ceil(32) as usize;
        if got == words {
            return Ok(());
        }
        Err(SimError::Words { port: name.clone(), words, got })
    }
}
