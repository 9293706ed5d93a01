#!/usr/bin/env bash
# Runs the C++ tests on an emulated x86-64 with AVX-512, VNNI, AVX-VNNI and AMX.   tools/check_avx512.sh ["PROGRAM [ARGUMENT]...[@DWSEP_ISA]"]...
# A Debian kernel boots under Bochs from an image with the programs of cpp/tests and, as init, runs what the arguments name: without one, all.
# BOCHS=program: later than Debian's 2.7, which knows neither AVX-VNNI nor AMX, with the display "nogui" and without a debugger. AMX of 3.0
# multiplies signed bytes as unsigned and Linux panics for want of XFD: configured without AMX, all else runs. KERNEL=unpacked package
# linux-image-... and TESTS=programs serve in place of what is fetched and built. Debian: g++, cmake, git, busybox-static, cpio, isolinux, syslinux-common, xorriso.
# ROOT=directory with more for the guest, such as a Python; a PROGRAM that begins with / is found there.
# MODEL=processor as `bochs --help cpu` lists them; LIMIT=seconds for all; WORK=directory takes another than build/avx512.
set -euo pipefail

here=$(git -C "$(dirname "${BASH_SOURCE[0]}")" rev-parse --show-toplevel)
work=${WORK:-$here/build/avx512}
mkdir -p "$work"
work=$(realpath "$work")
jobs=${DWSEP_BUILD_JOBS:-$(nproc)}
model=${MODEL:-sapphire_rapids}
bochs=${BOCHS:?set it to a Bochs later than 2.7, see above}
command -v "$bochs" > /dev/null || { echo "BOCHS: no program $bochs" >&2; exit 2; }
kernel=${KERNEL:-$work/linux}
tests=${TESTS:-$work/x86-64/tests}
modules='scsi_common scsi_mod libata cdrom ata_piix sr_mod isofs'

unpack_kernel() {
  local package
  package=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: //p')
  rm -f "$work"/linux-image-*.deb
  (cd "$work" && apt-get download "$package")
  dpkg-deb --extract "$work/$package"_*.deb "$kernel"
}

build_tests() {
  cmake -S "$here/cpp" -B "$work/x86-64" -DDWSEP_BUILD_TESTS=ON
  cmake --build "$work/x86-64" --parallel "$jobs"
}

# avx512 is all that stands on it, avx2 has AVX-VNNI; those without a name run every instruction set.
whole_plan() {
  local program isa
  for program in "$tests"/test_*; do
    [ -f "$program" ] && [ -x "$program" ] || continue
    program=$(basename "$program")
    case $program in
      test_thread_* | test_*stress) ;;  # they try threads, of which there is one CPU here
      test_operators) echo "$program 1 200@avx512" ;;
      test_int8 | test_quantized_network) for isa in avx512 avx512,-amx avx512,-vnni avx2; do echo "$program@$isa"; done ;;
      test_packed_layers | test_squeeze_excite | test_network_ops | test_misuse | test_selection | test_memory | test_int8_*) echo "$program" ;;
      *) echo "$program@avx512" ;;
    esac
  done
}

make_image() {
  local cd=$work/cd initrd=$work/initrd library module file
  rm -rf "$cd" "$initrd"
  mkdir -p "$cd"/isolinux "$cd"/root/{proc,dev,sys,tmp,tests} "$initrd"/{bin,lib,proc,dev,cd}
  for module in $modules; do
    file=$(find "$kernel" -name "$module.ko" | head -n 1)
    [ -n "$file" ] || { echo "no module $module in $kernel" >&2; exit 2; }
    cp "$file" "$initrd/lib"
  done
  cp "$(command -v busybox)" "$initrd/bin"
  cat > "$initrd/init" << END
#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
for module in $modules; do insmod /lib/\$module.ko; done
until mount -t iso9660 -o ro /dev/sr0 /cd 2> /dev/null; do sleep 1; done
mount -t proc proc /cd/root/proc
mount -t sysfs sys /cd/root/sys
mount -t tmpfs tmp /cd/root/tmp
mount -o bind /dev /cd/root/dev
echo "processor:" \$(grep -m 1 flags /proc/cpuinfo | tr ' ' '\n' | grep -E '^(avx|fma|amx)')
while IFS=@ read -r program isa; do
  code=0
  case \$program in /*) path=\$program ;; *) path=/tests/\$program ;; esac
  DWSEP_ISA=\$isa chroot /cd/root \$path < /dev/null || code=\$?
  echo "ended: \$program@\$isa \$code"
done < /cd/root/plan
echo 'all ended'
sleep 1000
END
  chmod +x "$initrd/init"
  (cd "$initrd" && find . | cpio --quiet --create --format newc | gzip -1) > "$cd/isolinux/initrd"
  cp "$kernel"/boot/vmlinuz-* "$cd/isolinux/kernel"
  cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$cd/isolinux"
  # Bochs has fast strings switched off yet says that short ones are fast, with which memmove of Linux 6.1 copies too much.
  cat > "$cd/isolinux/isolinux.cfg" << 'END'
default test
label test
  kernel kernel
  append initrd=initrd console=ttyS0 nokaslr mitigations=off nowatchdog clearcpuid=fsrm
END
  printf '%s\n' "$@" > "$cd/root/plan"
  [ -z "${ROOT:-}" ] || cp -a "$ROOT/." "$cd/root"
  printf '%s\n' "$@" | sed '/^\//d; s/[ @].*//' | sort -u | while read -r program; do
    install --strip "$tests/$program" "$cd/root/tests"
    ldd "$tests/$program" | grep -o '/[^ ]*'
  done | sort -u | while read -r library; do install -D "$library" "$cd/root$library"; done
  xorriso -as mkisofs -quiet -R -o "$work/image.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot -boot-load-size 4 \
    -boot-info-table "$cd"
}

emulate() {
  local bios
  bios=$(dirname "$(command -v "$bochs")")/bios
  [ -d "$bios" ] || bios=/usr/share/bochs
  cat > "$work/bochsrc" << END
cpu: model=$model, count=1, ips=40000000, reset_on_triple_fault=0
megs: 1024
romimage: file=$bios/BIOS-bochs-latest
vgaromimage: file=$(find "$bios" -name 'VGABIOS-lgpl-latest*' | sort | head -n 1)
ata0-master: type=cdrom, path=$work/image.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$work/serial
display_library: nogui
clock: sync=none
log: $work/log
panic: action=fatal
END
  rm -f "$work/serial"
  timeout "${LIMIT:-14400}" "$bochs" -q -f "$work/bochsrc" > "$work/stdout" 2>&1 < /dev/null &
  local emulator=$!
  trap "kill $emulator 2> /dev/null || true" EXIT
  while sleep 1 && kill -0 $emulator 2> /dev/null && ! grep -a -q -s -E '^all ended|Kernel panic' "$work/serial"; do :; done
  kill $emulator 2> /dev/null || true
  wait $emulator || true
  [ -s "$work/serial" ] || { echo "Bochs wrote nothing:" >&2; tail -n 20 "$work/stdout" "$work/log" >&2; return 1; }
  tr -d '\r' < "$work/serial" | sed -n '/^processor:/,$ p' | tee "$work/results"
}

[ -d "$kernel/boot" ] || [ -z "${KERNEL:-}" ] || { echo "KERNEL: no boot in $kernel" >&2; exit 2; }
[ -d "$kernel/boot" ] || unpack_kernel
[ -n "${TESTS:-}" ] || build_tests
[ $# -gt 0 ] || mapfile -t plan < <(whole_plan)
[ $# -eq 0 ] || plan=("$@")
make_image "${plan[@]}"
emulate
ended=$(grep -a -c '^ended: ' "$work/results" || true)
failed=$(grep -a '^ended: ' "$work/results" | grep -a -c -v -E ' (0|77)$' || true)
echo "$model: $ended of ${#plan[@]} programs ended, $failed failed, $SECONDS s"
[ "$ended" -eq ${#plan[@]} ] && [ "$failed" -eq 0 ]
