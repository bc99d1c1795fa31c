#include "qmgr/preemption.h"

#include <algorithm>
#include <utility>

#include "qmgr/message.h"
#include "qmgr/scheduler.h"

namespace postrider::qmgr {

namespace {

// How many jobs a destination with room gets back at a time: it has room for one delivery more, and the rest
// come with those that follow.
constexpr size_t kUnblocked = 8;

bool can_be_delivered(const Job& job) {
  return std::any_of(job.peers.begin(), job.peers.end(),
                     [](const Destination* d) { return d->listed == Destination::Listed::ready; });
}

}  // namespace

size_t Job::size() const {
  // Each recipient that has not been read may turn out to be a delivery of its own.
  return waiting + static_cast<size_t>(std::max<int64_t>(message->envelope.unread, 0));
}

bool JobOrder::operator()(const Job* a, const Job* b) const {
  return std::pair(a->message->sequence, a) < std::pair(b->message->sequence, b);
}

void Candidates::update(Job& job) {
  size_t size = job.waiting > 0 ? job.size() : 0;
  if (size == job.listed_size && job.blocked_by.empty()) return;
  remove(job);
  if (size == 0) return;
  by_size_[size].insert(&job);
  job.listed_size = size;
}

void Candidates::remove(Job& job) {
  for (Destination* destination : std::exchange(job.blocked_by, {}))
    destination->blocked.erase(&job);
  size_t size = std::exchange(job.listed_size, 0);
  if (size == 0) return;
  auto jobs = by_size_.find(size);
  jobs->second.erase(&job);
  if (jobs->second.empty()) by_size_.erase(jobs);
}

void Candidates::block(Job& job) {
  remove(job);
  for (Destination* destination : job.peers) {
    destination->blocked.insert(&job);
    job.blocked_by.push_back(destination);
  }
}

void Candidates::unblock(Destination& destination) {
  for (size_t i = 0; i < kUnblocked && !destination.blocked.empty(); ++i)
    update(**destination.blocked.begin());
}

Job* Candidates::best(const Job& current, size_t limit, Clock::time_point now) {
  Job* best = nullptr;
  double best_score = 0;
  std::vector<Job*> blocked;
  for (auto& [size, jobs] : by_size_) {
    if (size > limit) break;
    auto first = std::find_if(jobs.begin(), jobs.end(), [&](Job* job) {
      if (job == &current) return false;
      if (can_be_delivered(*job)) return true;
      blocked.push_back(job);
      return false;
    });
    if (first == jobs.end()) continue;
    std::chrono::duration<double> age = now - (*first)->message->entered;
    double score = (age.count() + 1e-6) / static_cast<double>(size);
    if (best == nullptr || score > best_score) {
      best = *first;
      best_score = score;
    }
  }
  for (Job* job : blocked)
    block(*job);
  return best;
}

}  // namespace postrider::qmgr
