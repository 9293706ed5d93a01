// Names of files are bytes, UTF-8 or not; messages escape what is no text.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "check.hpp"
#include "dwsep/dwsep.hpp"
#include "runtime/utf8.hpp"

namespace {

using namespace dwsep;
using dwsep::test::check;

Network relu() {
  NetworkBuilder builder;
  const int x = builder.input("x", {-1, 3});
  const std::map<std::string, NetworkAttribute> clip{
      {"activation", std::string("clip")}, {"activation_lo", std::vector<double>{0}}, {"activation_hi", std::vector<double>{9}}};
  builder.output("y", builder.step("activation", "relu", {x}, clip, {}));
  return builder.finish();
}

void any_bytes(const std::string& folder) {
  const std::string path = folder + "/n\xe9t.dwsep";
  relu().save(path);
  const Network network = Network::load(path);
  const float x[3] = {-1, 0, 2};
  float y[3] = {9, 9, 9};
  network.run({{x, {1, 3}}}, {y}, 1);
  check(y[0] == 0 && y[1] == 0 && y[2] == 2, "a name in Latin-1 is a name");
  std::ofstream(path) << "dwsepnet";
  try {
    static_cast<void>(Network::load(path));
    check(false, "half a file is refused");
  } catch (const std::invalid_argument& error) {
    check(std::string(error.what()).find("n\\xe9t.dwsep") != std::string::npos, "the message names the file, as text");
  }
}

void messages() {
  check(runtime::printable("caf\xc3\xa9 \\") == "caf\xc3\xa9 \\", "text stays as it is");
  check(runtime::printable("caf\xe9\x80z") == "caf\\xe9\\x80z", "what is no text is escaped");
}

}  // namespace

int main() {
  std::string folder = (std::filesystem::temp_directory_path() / "dwsep_names_XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return 1;
  any_bytes(folder);
  messages();
  std::filesystem::remove_all(folder);
  return dwsep::test::summary("file names");
}
