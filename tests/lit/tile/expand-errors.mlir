// Options that expand-macro-ops refuses.
// RUN: not linmu-opt %s -expand-macro-ops=ops=solve,softmax 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not linmu-opt %s -expand-macro-ops=sub-chunk=0 2>&1 | FileCheck %s --check-prefix=SIZE

// NAME: error: expand-macro-ops knows no macro op 'softmax'; write decay_scores, decay_values, decay_paths, solve or inverse
// SIZE: error: expand-macro-ops requires sub-chunk of at least 1, got 0
module {}
