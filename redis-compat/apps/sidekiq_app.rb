# The producer: jobs for one Sidekiq process, then scheduled ones, and a judgement on what was done.
require_relative 'sidekiq_jobs'
require 'sidekiq/api'

$stdout.sync = true
THREADS = 4

def until_true(what, limit = 40)
  last = nil
  finish = Process.clock_gettime(Process::CLOCK_MONOTONIC) + limit
  while Process.clock_gettime(Process::CLOCK_MONOTONIC) < finish
    begin
      value = yield
      return value if value
    rescue StandardError => e
      last = e
    end
    sleep 0.02
  end
  abort "no #{what} within #{limit} s: #{last.inspect}"
end

worker = Process.spawn('sidekiq', '-r', File.join(__dir__, 'sidekiq_jobs.rb'), '-c', THREADS.to_s, '-t', '2',
                       out: :err, in: :close)
at_exit do
  Process.kill(:KILL, worker)
  Process.wait(worker)
end

JOBS.times { |number| until_true('job pushed') { Double.perform_async(number) } }
done = -> { Sidekiq.redis { |redis| redis.hlen('done') } }
told = false
# A job that was popped while its thread's connection died with the leader is lost, as the free Sidekiq is with Redis.
until_true('end of the jobs') do
  count = done.call
  if !told && count >= JOBS / 2
    told = true
    puts 'half'
  end
  waiting = Sidekiq::Queue.new.size + Sidekiq::RetrySet.new.size
  count == JOBS || (count >= JOBS - THREADS && waiting.zero?)
end
results = Sidekiq.redis { |redis| redis.hgetall('done') }
abort "wrong results: #{results}" unless results.all? { |key, value| value.to_i == key.to_i * 2 }

identity = Double.perform_in(3600, JOBS)
abort 'the scheduled job is not in its set' unless Sidekiq::ScheduledSet.new.find_job(identity)
Sidekiq::ScheduledSet.new.find_job(identity).add_to_queue
until_true('scheduled job') { Sidekiq.redis { |redis| redis.hget('done', JOBS) } == (JOBS * 2).to_s }
until_true('process in the list') { Sidekiq::ProcessSet.new.size == 1 }
puts "#{results.size} jobs done, #{JOBS - results.size} lost with a connection"
