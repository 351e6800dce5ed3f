//! Each kernel of this machine, one thread: packed bytes a second of a matrix that stays in the
//! cache, by itself and with several sequences in one pass over it.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sterna_firmware::kernel::{Codes, Kernel, multiply};
use sterna_firmware::trits::{ROWS, pack};

fn products(criterion: &mut Criterion) {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
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
                    bencher.iter(|| one.install(|| multiply(kernel, &weights, &codes, &mut out)));
                });
            }
        }
    }
}

criterion_group!(benches, products);
criterion_main!(benches);
