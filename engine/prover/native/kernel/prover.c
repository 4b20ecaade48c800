// The native prover: a process that keeps proving keys and proves witnesses, one after the other, until its input ends.
// Argument: its ceiling of memory in bytes, 0 for none. Frames on a socket, all numbers little-endian:
//   in   uint32 kind, uint32 path length, uint64 bytes of witness values; path; for PROVE 3·32 bytes (1/t, t, u) and the values
//   out  uint32 status, uint32 length, body: for 0 the number of public signals (uint32) and the proof (A, B, C as 8 plain
//        coordinates of 32 bytes), for 1 what was wrong, in words, for 2 the name of a phase that begins. A PROVE gets phases and
//        then one 0 or 1, a FORGET nothing.
// It ends when the other side is gone, in the middle of a proof too. The process that was started ends at once and leaves the work to its
// child: the thread that started it may end before it, and nobody would be left to take notice of its end. Nothing is linked but libc.

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include "fields.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the files' numbers are little-endian, and so must be the machine's"
#endif

#define EMPTY UINT64_MAX
#define BATCH_SIZE 1024
#define AHEAD 8
#define PIECE_ITEMS 4096
#define KEYS_KEPT 4
#define CHANNEL 3
enum { PLAIN, NEGATIVE, DOUBLE };
enum { FORGET, PROVE };
enum { OK, FAILED, PHASE };

static FILE *input, *output;
static jmp_buf failure;
static char reason[512];

// Gives up the job.
static _Noreturn void fail(const char *format, ...) {
  va_list values;
  va_start(values, format);
  vsnprintf(reason, sizeof reason, format, values);
  va_end(values);
  longjmp(failure, 1);
}

static void *allocate(size_t bytes) {
  void *block = malloc(bytes ? bytes : 1);
  if (!block) fail("it needs %zu MB more than it may have", bytes >> 20);
  return block;
}

static void *shrink(void *block, size_t bytes) {
  void *smaller = realloc(block, bytes ? bytes : 1);
  return smaller ? smaller : block;
}

static void endIfAbandoned(void) {
  struct pollfd channel = {.fd = CHANNEL};
  if (poll(&channel, 1, 0) > 0 && (channel.revents & (POLLHUP | POLLERR))) _exit(0);
}

#include "msm-plan.h"
#include "container.h"
#include "fft.h"

#define GROUP(name) g1_##name
#define COORDINATE(name) fq_##name
#define coordinate element
#include "group.h"
#include "msm.h"
#include "points-file.h"
#undef GROUP
#undef COORDINATE
#undef coordinate

#define GROUP(name) g2_##name
#define COORDINATE(name) fq2_##name
#define coordinate element2
#include "group.h"
#include "msm.h"
#include "points-file.h"
#undef GROUP
#undef COORDINATE
#undef coordinate

static element curve1;  // b of y² = x³ + b: 3, and 3/(9 + i)
static element2 curve2;

static void initialiseCurves(void) {
  const element three = {{3}}, nine = {{9}};
  fq_fromPlain(&curve1, &three);
  element2 divisor;
  fq_fromPlain(&divisor.re, &nine);
  divisor.im = fq_one;
  fq2_inverse(&divisor, &divisor);
  fq_mul(&curve2.re, &divisor.re, &curve1);
  fq_mul(&curve2.im, &divisor.im, &curve1);
}

static void answer(uint32_t status, const void *body, size_t bytes) {
  const uint32_t length = (uint32_t)bytes;
  fwrite(&status, sizeof status, 1, output);
  fwrite(&length, sizeof length, 1, output);
  fwrite(body, 1, length, output);
  if (fflush(output) != 0) exit(0);
}

static void beginPhase(const char *name) {
  answer(PHASE, name, strlen(name));
}

#include "key.h"
#include "prove.h"

static key keys[KEYS_KEPT];
static uint64_t uses;

static void readFully(void *into, size_t size) {
  if (size > 0 && fread(into, 1, size, input) != size) exit(0);
}

static void skip(uint64_t size) {
  char piece[4096];
  for (; size > 0; size -= size < sizeof piece ? size : sizeof piece) readFully(piece, size < sizeof piece ? size : sizeof piece);
}

static key *findKey(const char *path) {
  for (int k = 0; k < KEYS_KEPT; k++) {
    if (keys[k].path && strcmp(keys[k].path, path) == 0) return &keys[k];
  }
  return NULL;
}

// The key of a file, loaded if it is not there, in place of the one used longest ago.
static key *useKey(const char *path) {
  static key loading;
  static container file;
  if (file.file) fclose(file.file);
  file = (container){0};
  freeKey(&loading);
  key *found = findKey(path);
  if (!found) {
    found = &keys[0];
    for (int k = 1; k < KEYS_KEPT; k++) {
      if (keys[k].lastUse < found->lastUse) found = &keys[k];
    }
    freeKey(found);
    file.file = fopen(path, "rb");
    if (!file.file) fail("%s", strerror(errno));
    loadKey(&loading, &file);
    loading.path = strdup(path);
    *found = loading;
    memset(&loading, 0, sizeof loading);
  }
  found->lastUse = ++uses;
  return found;
}

static void proveJob(const char *path, uint64_t valueBytes) {
  static uint64_t unread;
  element random[3];
  readFully(random, sizeof random);
  unread = valueBytes;
  if (setjmp(failure)) {
    skip(unread);
    answer(FAILED, reason, strlen(reason));
    return;
  }
  key *k = useKey(path);
  if (valueBytes != k->wires * sizeof(element)) {
    fail("the witness has %llu values; the key's circuit has %u wires", (unsigned long long)(valueBytes / sizeof(element)), k->wires);
  }
  unread = 0;
  readFully(k->witness, valueBytes);
  struct { uint32_t publics; char proof[sizeof(groth16Proof)]; } body = {.publics = k->publics};
  const groth16Proof proof = prove(k, random);
  memcpy(body.proof, &proof, sizeof proof);
  answer(OK, &body, sizeof body);
}

int main(int count, char **arguments) {
  const pid_t child = fork();
  if (child != 0) return child < 0;
  const rlim_t ceiling = count > 1 ? strtoull(arguments[1], NULL, 10) : 0;
  const struct rlimit limit = {ceiling, ceiling};
  if (ceiling > 0) setrlimit(RLIMIT_AS, &limit);
  input = fdopen(CHANNEL, "rb");
  output = fdopen(dup(CHANNEL), "wb");
  if (!input || !output) return 1;
  initialiseFields();
  initialisePlan();
  initialiseCurves();
  for (;;) {
    uint32_t kind, pathLength;
    uint64_t valueBytes;
    readFully(&kind, sizeof kind);
    readFully(&pathLength, sizeof pathLength);
    readFully(&valueBytes, sizeof valueBytes);
    static char path[4097];
    if (pathLength >= sizeof path) return 1;
    readFully(path, pathLength);
    path[pathLength] = 0;
    key *known = findKey(path);
    if (kind == PROVE) proveJob(path, valueBytes);
    else if (known) freeKey(known);
  }
}
