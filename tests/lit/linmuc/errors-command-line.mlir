// Every complaint of linmuc about its command line: one message, exit status 1.
// RUN: not linmuc 2>&1 | FileCheck %s --check-prefix=NOFILE
// RUN: not linmuc %s 2>&1 | FileCheck %s --check-prefix=NOTHING
// RUN: not linmuc %s %s 2>&1 | FileCheck %s --check-prefix=TWO
// RUN: not linmuc %t.missing --explain 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not linmuc %S --explain 2>&1 | FileCheck %s --check-prefix=FOLDER
// RUN: not linmuc /proc/self/mem --explain 2>&1 | FileCheck %s --check-prefix=UNREADABLE
// RUN: not linmuc %s --optimise 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not linmuc %s --emit=ptx 2>&1 | FileCheck %s --check-prefix=EMIT
// RUN: not linmuc %s --emit 2>&1 | FileCheck %s --check-prefix=VALUE
// RUN: not linmuc %s --explain=xml 2>&1 | FileCheck %s --check-prefix=REPORT
// RUN: not linmuc %s --explain --explain 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not linmuc %s --explain --define=rows 2>&1 | FileCheck %s --check-prefix=ALIASES
// RUN: not linmuc %s --explain --define=rows=f32 --define=rows=f32 2>&1 | FileCheck %s --check-prefix=ALIASED
// RUN: not linmuc %s --explain --schedule=chunk 2>&1 | FileCheck %s --check-prefix=SCHEDULE
// RUN: not linmuc %s --explain --schedule=chunk=32,chunk=64 2>&1 | FileCheck %s --check-prefix=SCHEDULED
// RUN: not linmuc %s --run %t.in 2>&1 | FileCheck %s --check-prefix=NOOUT
// RUN: not linmuc %s --explain --out %t.out 2>&1 | FileCheck %s --check-prefix=OUTALONE
// RUN: not linmuc %s --explain --target=interpreter 2>&1 | FileCheck %s --check-prefix=TARGETALONE
// RUN: not linmuc %s --package %t.lmk --target=cuda:sm_90a,gpu 2>&1 | FileCheck %s --check-prefix=ARCHITECTURE
// RUN: not linmuc %s --package %t.lmk --target=cpu:sm_90a 2>&1 | FileCheck %s --check-prefix=CPUARCHITECTURE
// RUN: not linmuc %s --package %t.lmk --target=cuda:sm_90a --cpu=skylake 2>&1 | FileCheck %s --check-prefix=CUDACPU
// RUN: not linmuc %s --emit=source 2>&1 | FileCheck %s --check-prefix=SOURCE
// RUN: not linmuc %s --emit=asm --target=cuda 2>&1 | FileCheck %s --check-prefix=ASM
// RUN: not linmuc %s --run %t.in --out %t.out --target=gpu 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not linmuc %s --run %t.in --out %t.out --cpu=skylake 2>&1 | FileCheck %s --check-prefix=CPU
// RUN: not linmuc %s --emit=asm --cpu=z80 2>&1 | FileCheck %s --check-prefix=NOCPU
// RUN: not linmuc %s --explain --wrt=q 2>&1 | FileCheck %s --check-prefix=WRT
// RUN: not linmuc %s --explain --of=o 2>&1 | FileCheck %s --check-prefix=OF
// RUN: not linmuc %s --gradient --of=o,o 2>&1 | FileCheck %s --check-prefix=OFTWICE
// RUN: not linmuc %s --package %t.none/x.lmk 2>&1 | FileCheck %s --check-prefix=FOLDERLESS

// NOFILE: {{^}}linmuc: error: requires a FILE with patterns; see linmuc --help{{$}}
// NOTHING: {{^}}linmuc: error: requires something to do: --explain, --emit, --package, --run or --gradient; see linmuc --help{{$}}
// WRT: {{^}}linmuc: error: --wrt requires --gradient; see linmuc --help{{$}}
// OF: {{^}}linmuc: error: --of requires --gradient; see linmuc --help{{$}}
// OFTWICE: {{^}}linmuc: error: --of requires different names as in q,k, got 'o,o'; see linmuc --help{{$}}
// TWO: {{^}}linmuc: error: requires one FILE, got '{{.*}}' and '{{.*}}'; see linmuc --help{{$}}
// MISSING: {{^}}linmuc: error: cannot read {{.*}}.missing: No such file or directory{{$}}
// FOLDER: {{^}}linmuc: error: cannot read {{.*}}: it is a folder{{$}}
// UNREADABLE: {{^}}linmuc: error: cannot read /proc/self/mem: Input/output error{{$}}
// UNKNOWN: {{^}}linmuc: error: unknown option '--optimise'; see linmuc --help{{$}}
// EMIT: {{^}}linmuc: error: --emit requires one of pattern, normal, tile, llvm, asm, source, got 'ptx'; see linmuc --help{{$}}
// VALUE: {{^}}linmuc: error: --emit requires a value; see linmuc --help{{$}}
// REPORT: {{^}}linmuc: error: --explain requires one of text, json, got 'xml'; see linmuc --help{{$}}
// TWICE: {{^}}linmuc: error: --explain is given twice; see linmuc --help{{$}}
// ALIASES: {{^}}linmuc: error: --define requires ALIAS=TYPE, got 'rows'; see linmuc --help{{$}}
// ALIASED: {{^}}linmuc: error: --define defines 'rows' twice; see linmuc --help{{$}}
// SCHEDULE: {{^}}linmuc: error: --schedule requires KEY=VALUE,..., got 'chunk'; see linmuc --help{{$}}
// SCHEDULED: {{^}}linmuc: error: --schedule sets 'chunk' twice; see linmuc --help{{$}}
// NOOUT: {{^}}linmuc: error: --run requires --out; see linmuc --help{{$}}
// OUTALONE: {{^}}linmuc: error: --out requires --run; see linmuc --help{{$}}
// TARGETALONE: {{^}}linmuc: error: --target=interpreter requires --run; see linmuc --help{{$}}
// ARCHITECTURE: {{^}}linmuc: error: target: expected cpu, cuda, cuda:ARCHITECTURE,... such as cuda:sm_90a,sm_80, or emulate, got the architecture 'gpu'{{$}}
// CPUARCHITECTURE: {{^}}linmuc: error: --target=cpu takes no architectures, got 'cpu:sm_90a'; see linmuc --help{{$}}
// CUDACPU: {{^}}linmuc: error: --target=cuda takes no --cpu; see linmuc --help{{$}}
// SOURCE: {{^}}{{.*}}errors-command-line.mlir:{{[0-9]+:[0-9]+}}: error: requires the target cuda for its source, got cpu{{$}}
// ASM: {{^}}{{.*}}errors-command-line.mlir:{{[0-9]+:[0-9]+}}: error: requires the target cpu for this stage, got cuda{{$}}
// TARGET: {{^}}linmuc: error: --target requires one of cpu, interpreter, cuda, emulate, got 'gpu'; see linmuc --help{{$}}
// CPU: {{^}}linmuc: error: --run with --target=cpu runs on the machine at hand and takes no --cpu; see linmuc --help{{$}}
// NOCPU: {{^}}{{.*}}errors-command-line.mlir:1:1: error: requires a CPU that LLVM knows for the native target, got 'z80'{{$}}
// FOLDERLESS: {{^}}linmuc: error: cannot write {{.*}}x.lmk: there is no folder {{.*}}.none{{$}}
func.func @f(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return %y : tensor<?x?x2xf32>
}
