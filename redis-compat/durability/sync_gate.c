/* Preloaded into a server (LD_PRELOAD): counts its fsync and fdatasync calls and can hold them.
 *
 * SYNC_GATE names a file of 16 bytes that the test maps too: u32 hold (1: calls wait before they reach the disk),
 * u32 waiting (calls waiting now), u64 count (calls that have returned). sync_gate.py is the other side.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct gate {
  _Atomic uint32_t hold;
  _Atomic uint32_t waiting;
  _Atomic uint64_t count;
};

static struct gate unused;
static struct gate* gate = &unused;
static int (*real_fdatasync)(int);
static int (*real_fsync)(int);

__attribute__((constructor)) static void open_gate(void) {
  real_fdatasync = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  real_fsync = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  const char* path = getenv("SYNC_GATE");
  int file = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) {
    return;
  }
  void* map = mmap(NULL, sizeof(struct gate), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (map != MAP_FAILED) {
    gate = map;
  }
  close(file);
}

static int pass(int (*real)(int), int file) {
  const struct timespec millisecond = {0, 1000000};
  atomic_fetch_add(&gate->waiting, 1);
  while (atomic_load(&gate->hold) != 0) {
    nanosleep(&millisecond, NULL);
  }
  atomic_fetch_sub(&gate->waiting, 1);
  const int result = real(file);
  atomic_fetch_add(&gate->count, 1);
  return result;
}

int fdatasync(int file) { return pass(real_fdatasync, file); }
int fsync(int file) { return pass(real_fsync, file); }
