//! tmp
#![allow(missing_docs, clippy::all, clippy::pedantic, clippy::unwrap_used, clippy::allow_attributes, clippy::allow_attributes_without_reason)]
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let n: Vec<u32> = a[2].split(',').map(|x| x.parse().unwrap()).collect();
    let out = documents::pdf::select_pages(&std::fs::read(&a[1]).unwrap(), &n).unwrap();
    std::fs::write(&a[3], out).unwrap();
}
