// Preloaded, it ends every aligned allocation at a page that must not be touched and fills it with 0xFF, which is NaN in float32.
//
// The library takes scratch memory, packed weights and networks' arenas from posix_memalign: a read or write beyond one of them ends
// the process, and a value that is read before it was written shows in the result. No address is given twice, so that neither may what
// was freed be touched. Needs glibc, whose own `free` has a second name.

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// Of addresses, not of memory.
static const size_t kReserved = (size_t)1 << 38;

atomic_size_t guarded_allocations;
static atomic_size_t used;
static _Atomic(char*) reserved;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static const int kNew = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

extern void __libc_free(void* memory);

static void reserve(void) {
  void* const memory = mmap(NULL, kReserved, PROT_NONE, kNew, -1, 0);
  if (memory != MAP_FAILED) reserved = memory;
}

// A page with the length of the whole, the pages of the allocation, the page behind it: the first and the last are not accessible.
int posix_memalign(void** memory, size_t alignment, size_t bytes) {
  const size_t page = (size_t)getpagesize();
  pthread_once(&once, reserve);
  if (reserved == NULL || bytes > kReserved) return ENOMEM;
  const size_t inner = (bytes + page - 1) / page * page, whole = inner + 2 * page;
  const size_t start = atomic_fetch_add(&used, whole);
  if (start + whole > kReserved) return ENOMEM;
  char *const first = reserved + start, *const end = first + page + inner;
  if (mprotect(first, page + inner, PROT_READ | PROT_WRITE) != 0) return ENOMEM;
  *(size_t*)first = whole;
  memset(first + page, 0xFF, inner);
  if (mprotect(first, page, PROT_NONE) != 0) return ENOMEM;
  // Huge pages are for speed: their alignment would leave room between the allocation and the guard.
  if (alignment > 64) alignment = 64;
  *memory = (void*)((uintptr_t)(end - bytes) / alignment * alignment);
  ++guarded_allocations;
  return 0;
}

void free(void* memory) {
  char* const begin = reserved;
  const size_t offset = (uintptr_t)memory - (uintptr_t)begin, page = (size_t)getpagesize();
  if (begin == NULL || offset >= kReserved) {
    __libc_free(memory);
    return;
  }
  char* const first = begin + (offset / page - 1) * page;
  if (mprotect(first, page, PROT_READ) != 0) __builtin_trap();
  // Mapped anew, which gives the memory back and keeps the addresses.
  if (mmap(first, *(size_t*)first, PROT_NONE, kNew | MAP_FIXED, -1, 0) == MAP_FAILED) __builtin_trap();
}
