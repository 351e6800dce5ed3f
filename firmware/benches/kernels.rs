//! Each kernel of this machine, one thread: packed bytes a second of a matrix that stays in the
//! cache, by itself and with several sequences in one pass over it; and elements a second of what
//! is done with its results.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sterna_firmware::kernel::elementwise::Scaled;
use sterna_firmware::kernel::{Codes, Kernel};
use sterna_firmware::trits::{ROWS, pack};
use sterna_model::numerics::{Reciprocal, Rescale, Scale};

fn products(criterion: &mut Criterion) {
    for (rows, columns) in [(1024, 1024), (1024, 2816)] {
        let trits: Vec<i8> = (0..rows * columns).map(|n| (n * n % 3) as i8 - 1).collect();
        let mut weights = vec![];
        pack(&trits, columns, &mut weights);
        let mut codes = Codes::default();
        codes.fill((0..columns).map(|k| (k * 37 % 255) as i8));
        let mut group = criterion.benchmark_group(format!("{rows}x{columns}"));
        for batch in [1, 4, 32] {
            let codes = vec![&codes; batch];
            let mut out = vec![0; rows.next_multiple_of(ROWS) * batch];
            group.throughput(Throughput::Bytes(weights.len() as u64));
            for kernel in Kernel::available() {
                let id = BenchmarkId::new(format!("{kernel:?}"), batch);
                group.bench_function(id, |bencher| {
                    bencher.iter(|| kernel.rows(&weights, &codes, &mut out));
                });
            }
        }
    }
}

fn elementwise(criterion: &mut Criterion) {
    const LENGTH: usize = 1024;
    let vector = |step: i32| -> Vec<i32> { (0..LENGTH as i32).map(|k| k * step % 90001).collect() };
    let (acc, up, values) = (vector(7919), vector(-7907), vector(104729));
    let gains: Vec<i16> = (0..LENGTH).map(|k| (k * 31 % 32768) as i16).collect();
    let scale = Scale::from_f64(5.0).expect("in range");
    let of = Scaled { rescale: Rescale::new(scale), frac: 16 };
    let reciprocal = Reciprocal::new(1 << 20);
    let mut group = criterion.benchmark_group("elementwise");
    group.throughput(Throughput::Elements(LENGTH as u64));
    for kernel in Kernel::available() {
        let mut bench = |name: &str, work: &mut dyn FnMut()| {
            group.bench_function(BenchmarkId::new(format!("{kernel:?}"), name), |bencher| {
                bencher.iter(&mut *work);
            });
        };
        let (mut codes, mut result, mut state) = (vec![0; LENGTH], values.clone(), vector(101));
        bench("quantise", &mut || {
            black_box(kernel.quantise(&values, &gains, reciprocal, &mut codes));
        });
        bench("input", &mut || {
            black_box(kernel.input(&acc, of, &mut result));
        });
        bench("forget", &mut || {
            black_box(kernel.forget(&acc, of, &gains, &mut result, &mut state));
        });
        bench("output gate", &mut || {
            black_box(kernel.output_gate(&acc, of, &gains, &gains, &mut result));
        });
        bench("add", &mut || {
            black_box(kernel.add(&acc, of, &gains, [&gains, &[], &[]], &mut result));
        });
        bench("glu", &mut || {
            black_box(kernel.glu(&acc, &up, of, &gains, &mut result));
        });
    }
}

criterion_group!(benches, products, elementwise);
criterion_main!(benches);
