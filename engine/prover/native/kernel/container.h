// Reader of the container of .zkey files (iden3 binary format): a magic word, a version, and numbered sections.

#define MAX_SECTIONS 16
#define HEAD_BYTES 12

typedef struct {
  uint64_t offset, size;
  bool isPresent;
} section;

typedef struct {
  FILE *file;
  section sections[MAX_SECTIONS];
} container;

static uint32_t readUint32(const void *bytes) {
  uint32_t value;
  memcpy(&value, bytes, sizeof value);
  return value;
}

static void readAt(FILE *file, uint64_t offset, void *into, size_t size) {
  if (fseeko(file, (off_t)offset, SEEK_SET) != 0 || fread(into, 1, size, file) != size) fail("it ends early");
}

static void readSection(const container *c, const section *s, uint64_t from, void *into, size_t size) {
  if (from + size > s->size) fail("it ends early");
  readAt(c->file, s->offset + from, into, size);
}

// Finds the sections; `c->file` is open. Fails if one does not lie inside the file.
static void parseContainer(container *c, const char *magic, uint32_t version) {
  char head[HEAD_BYTES];
  if (fseeko(c->file, 0, SEEK_END) != 0) fail("it is no file");
  const uint64_t size = (uint64_t)ftello(c->file);
  readAt(c->file, 0, head, HEAD_BYTES);
  if (memcmp(head, magic, 4) != 0) fail("it does not start with \"%s\"", magic);
  if (readUint32(head + 4) > version) fail("it has version %u, not up to %u", readUint32(head + 4), version);
  uint64_t at = HEAD_BYTES;
  for (uint32_t left = readUint32(head + 8); left > 0; left--) {
    char sectionHead[HEAD_BYTES];
    uint64_t length;
    readAt(c->file, at, sectionHead, HEAD_BYTES);
    memcpy(&length, sectionHead + 4, sizeof length);
    const uint32_t id = readUint32(sectionHead);
    at += HEAD_BYTES;
    if (length > size - at) fail("it ends early: section %u needs %llu bytes", id, (unsigned long long)length);
    if (id < MAX_SECTIONS) {
      if (c->sections[id].isPresent) fail("it has section %u twice", id);
      c->sections[id] = (section){at, length, true};
    }
    at += length;
  }
}

static const section *findSection(const container *c, uint32_t id, const char *name) {
  if (!c->sections[id].isPresent) fail("it has no section %u (%s)", id, name);
  return &c->sections[id];
}

static const section *sizedSection(const container *c, uint32_t id, const char *name, uint64_t expected) {
  const section *found = findSection(c, id, name);
  if (found->size == expected) return found;
  fail("section %u (%s) has %llu bytes; %llu are expected", id, name, (unsigned long long)found->size,
       (unsigned long long)expected);
}
