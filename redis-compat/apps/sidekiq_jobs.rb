# Sidekiq behind Sentinel: what its processes and the producer (sidekiq_app.rb) have in common.
require 'sidekiq'

PORTS = ENV.fetch('REDRAFT_PORTS').split(',').map(&:to_i)
JOBS = ENV.fetch('JOBS', '100').to_i
REDIS = {
  url: 'redis://mymaster', role: :master, sentinels: PORTS.map { |port| { host: '127.0.0.1', port: port } },
  reconnect_attempts: 2, timeout: 5
}.freeze
Sidekiq.configure_server { |config| config.redis = REDIS }
Sidekiq.configure_client { |config| config.redis = REDIS }

class Double
  include Sidekiq::Worker
  sidekiq_options retry: 5
  sidekiq_retry_in { 1 }

  def perform(number)
    Sidekiq.redis do |redis|
      redis.multi do |transaction|
        transaction.hsetnx('done', number, number * 2)
        transaction.hincrby('runs', number, 1)
      end
    end
  end
end
