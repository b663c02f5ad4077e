#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/operation.h"

namespace redraft::sim {

// A broken promise in one sentence, or nothing.
using Verdict = std::optional<std::string>;

// Operations of many clients on one object whose answers tell their place in its one true order: increments of a
// counter, appends to a list, successful compare-and-sets. Linearizable if no place is given twice and no operation
// that began after another was answered has an earlier place.
class OrderHistory {
 public:
  // Returns the operation's number.
  std::size_t begin_change(std::uint64_t now_us);
  std::size_t begin_read(std::uint64_t now_us);
  void refused(std::size_t operation) { operations_[operation].refused = true; }
  // `value`: how many changes the object has seen with this one, or at the moment of the read.
  void answered(std::size_t operation, std::uint64_t now_us, std::uint64_t value);
  [[nodiscard]] Verdict check(const std::string& name) const;
  // Every answered change counts once; those in doubt may.
  [[nodiscard]] std::uint64_t changes_min() const;
  [[nodiscard]] std::uint64_t changes_max() const;
  [[nodiscard]] std::size_t size() const { return operations_.size(); }

 private:
  struct Operation {
    bool change;
    bool refused = false;
    std::uint64_t begin_us;
    std::uint64_t end_us = kNever;
    std::uint64_t value = 0;
  };
  std::vector<Operation> operations_;
};

// Reads and writes of one register in which no value is written twice. Exact for such histories (Gibbons and Korach,
// "Testing Shared Memories", SIAM J. Comput. 26(4), 1997): per value the zone from its first answer to its last
// beginning; linearizable if no two forward zones overlap and none holds a backward zone.
class RegisterHistory {
 public:
  std::size_t begin_write(std::uint64_t now_us, std::string value);
  void wrote(std::size_t operation, std::uint64_t now_us) { writes_[operation].end_us = now_us; }
  void refused(std::size_t operation) { writes_[operation].refused = true; }
  void read(std::uint64_t begin_us, std::uint64_t end_us, std::string value);  // empty: nothing was there
  [[nodiscard]] Verdict check(const std::string& name) const;
  [[nodiscard]] std::size_t size() const { return writes_.size() + reads_.size(); }

 private:
  struct Write {
    std::string value;
    std::uint64_t begin_us;
    std::uint64_t end_us = kNever;
    bool refused = false;
  };
  struct Read {
    std::string value;
    std::uint64_t begin_us;
    std::uint64_t end_us;
  };
  std::vector<Write> writes_;
  std::vector<Read> reads_;
};

// Elements that exist once: added by some, taken by others. Nothing that was added is lost, nothing is taken twice.
class ElementHistory {
 public:
  void adding(const std::string& element) { elements_[element].adding = true; }
  void added(const std::string& element) { elements_[element].added = true; }
  void refused(const std::string& element) { elements_[element].refused = true; }
  void taken(const std::string& element) { ++elements_[element].taken; }
  // Somebody may have taken one without knowing which.
  void taken_unknown() { ++unknown_; }
  void left(const std::string& element) { ++elements_[element].left; }
  [[nodiscard]] Verdict check(const std::string& name) const;

 private:
  struct Element {
    bool adding = false;
    bool added = false;
    bool refused = false;
    std::uint32_t taken = 0;
    std::uint32_t left = 0;
  };
  std::map<std::string, Element> elements_;
  std::uint64_t unknown_ = 0;
};

}  // namespace redraft::sim
